import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BlockFolder } from '../../../src/content/block-folder.ts'
import { StoreQuotaError } from '../../../src/content/errors.ts'
import { importFolder } from '../../../src/content/import-folder.ts'
import type { MadeBlock } from '../../../src/content/node.ts'
import { rawBlock } from '../../../src/content/node.ts'
import { memoryFolder } from '../../helpers/temp.ts'

const { signal } = new AbortController()
const opened = async (folder: string, quotaBytes = 2 ** 30): Promise<BlockFolder> =>
  await BlockFolder.open({ folder: join(folder, 'blocks'), quotaBytes: () => quotaBytes })
/** Bytes that a short block takes. */
const least = 4096
const block = (text: string): MadeBlock => rawBlock(Buffer.from(text))
const add = async (blocks: BlockFolder, { digest, bytes }: MadeBlock): Promise<void> => await blocks.put(digest, bytes)

const pathOf = (folder: string, { digest }: MadeBlock): string => {
  const key = Buffer.from(digest).toString('hex')
  return join(folder, 'blocks', key.slice(0, 2), key.slice(2))
}
const filesIn = (folder: string): string[] =>
  readdirSync(join(folder, 'blocks'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)

describe('blocks of all stores', () => {
  it('keeps each once, and knows its bytes after a restart', async () => {
    using folder = memoryFolder()
    const blocks = await opened(folder.path)
    await Promise.all([add(blocks, block('abc')), add(blocks, block('abc')), add(blocks, block('de'))])
    await add(blocks, block('abc'))
    await add(blocks, block(''))
    await blocks.flush()
    expect(blocks.bytes).toBe(3 * least)
    const again = await opened(folder.path)
    expect(again.bytes).toBe(3 * least)
    expect(Buffer.from((await again.read(block('abc').digest)) ?? []).toString()).toBe('abc')
    expect(await again.has(block('').digest)).toBe(true)
    expect(await again.has(block('other').digest)).toBe(false)
    expect(await again.read(block('other').digest)).toBeUndefined()
  })

  it('takes no more than its quota and says what to do', async () => {
    using folder = memoryFolder()
    const blocks = await opened(folder.path, 10_000)
    const large = '0123456789'.repeat(1_000)
    await add(blocks, block(large))
    await add(blocks, block(large))
    await expect(add(blocks, block('x'))).rejects.toThrow(StoreQuotaError)
    await expect(add(blocks, block('x'))).rejects.toThrow('remove a store, or raise it')
    expect(blocks.bytes).toBe(10_000)
    expect(await blocks.has(block('x').digest)).toBe(false)
    await blocks.collect([], signal)
    await add(blocks, block('x'))
    expect(blocks.bytes).toBe(least)
  })

  it('counts a short block as what its file takes of a disk, and goes by the quota of now', async () => {
    using folder = memoryFolder()
    let quotaBytes = 2 * least
    const blocks = await BlockFolder.open({ folder: join(folder.path, 'blocks'), quotaBytes: () => quotaBytes })
    for (const text of 'ab') await add(blocks, block(text))
    await expect(add(blocks, block('c'))).rejects.toThrow(`more than ${2 * least} bytes`)
    quotaBytes += least
    await add(blocks, block('c'))
    quotaBytes = 1
    await add(blocks, block('c'))
    await expect(add(blocks, block('d'))).rejects.toThrow(StoreQuotaError)
    expect(blocks.bytes).toBe(3 * least)
  })

  it('holds its quota also when many come at once', async () => {
    using folder = memoryFolder()
    const blocks = await opened(folder.path, 6 * least + 100)
    const ends = await Promise.allSettled(Array.from({ length: 40 }, (_, i) => add(blocks, block(`block ${i + 10}`))))
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(6)
    expect(blocks.bytes).toBe(6 * least)
  })

  it.each([
    ['cut', (path: string) => truncateSync(path, 2)],
    ['empty', (path: string) => truncateSync(path, 0)],
    ['another', (path: string) => writeFileSync(path, 'xyz')],
    ['too long', (path: string) => truncateSync(path, 3_000_000)]
  ])('gives no block that is damaged (%s), and takes it again', async (_, damage) => {
    using folder = memoryFolder()
    let damages = 0
    const onDamaged = (): void => {
      damages++
    }
    const init = { folder: join(folder.path, 'blocks'), quotaBytes: () => 2 ** 30, onDamaged }
    const blocks = await BlockFolder.open(init)
    await add(blocks, block('abc'))
    damage(pathOf(folder.path, block('abc')))
    expect(await blocks.read(block('abc').digest)).toBeUndefined()
    expect(filesIn(folder.path)).toEqual([])
    expect(damages).toBe(1)
    await add(blocks, block('abc'))
    expect(Buffer.from((await blocks.read(block('abc').digest)) ?? []).toString()).toBe('abc')
    expect(damages).toBe(1)
  })

  it('writes a block again whose file is damaged and was not read since', async () => {
    using folder = memoryFolder()
    await add(await opened(folder.path), block('abc'))
    // A power cut leaves a file of the right length that is zeros.
    writeFileSync(pathOf(folder.path, block('abc')), new Uint8Array(3))
    const blocks = await opened(folder.path)
    await add(blocks, block('abc'))
    expect(Buffer.from((await blocks.read(block('abc').digest)) ?? []).toString()).toBe('abc')
    expect(blocks.bytes).toBe(least)
  })

  it('counts and keeps rightly what is read, found damaged and written at once', async () => {
    using folder = memoryFolder()
    const blocks = await opened(folder.path)
    for (let round = 0; round < 20; round++) {
      await add(blocks, block('abc'))
      writeFileSync(pathOf(folder.path, block('abc')), 'xyz')
      const { digest } = block('abc')
      await Promise.all([blocks.read(digest), blocks.read(digest), add(blocks, block('abc')), blocks.read(digest)])
      expect(Buffer.from((await blocks.read(digest)) ?? []).toString()).toBe('abc')
      await Promise.all([add(blocks, block('abc')), add(blocks, block('d')), blocks.has(digest)])
      expect(blocks.bytes).toBe(2 * least)
    }
  })

  it('removes what a killed process left half', async () => {
    using folder = memoryFolder()
    await add(await opened(folder.path), block('abc'))
    const [start = ''] = readdirSync(join(folder.path, 'blocks'))
    writeFileSync(join(folder.path, 'blocks', start, '.part-0011'), 'half')
    const blocks = await opened(folder.path)
    expect(blocks.bytes).toBe(least)
    expect(filesIn(folder.path)).toHaveLength(1)
  })

  it('leaves nothing of a block that could not be written', async () => {
    using folder = memoryFolder()
    const blocks = await opened(folder.path)
    const path = pathOf(folder.path, block('abc'))
    // A folder with something in it where the file belongs.
    mkdirSync(join(path, 'x'), { recursive: true })
    await expect(add(blocks, block('abc'))).rejects.toThrow('EISDIR')
    rmSync(path, { recursive: true })
    expect(filesIn(folder.path)).toEqual([])
    await add(blocks, block('abc'))
    expect(statSync(path).size).toBe(3)
  })
})

describe('flush', () => {
  it('waits for what is flushed meanwhile, and says once that it failed', async () => {
    using folder = memoryFolder()
    const blocks = await opened(folder.path)
    const all = Array.from({ length: 64 }, (_, i) => block(`block ${i}`))
    for (const each of all.slice(1)) await add(blocks, each)
    // The disk takes nothing where a file is in the place of the folder.
    const lost = dirname(pathOf(folder.path, block('block 1')))
    rmSync(lost, { recursive: true })
    writeFileSync(lost, '')
    for (const each of all.slice(0, 1)) await add(blocks, each)
    await expect(blocks.flush()).rejects.toThrow('ENOTDIR')
    await blocks.flush()
  })
})

describe('collection', () => {
  it('removes what no root needs, and keeps what two versions share and what an import has begun', async () => {
    using folder = memoryFolder()
    const blocks = await opened(folder.path)
    const store = join(folder.path, 'store')
    mkdirSync(store)
    const put = async (made: MadeBlock): Promise<void> => await add(blocks, made)
    const version = async (text: string) => {
      writeFileSync(join(store, 'same'), 'same in both')
      writeFileSync(join(store, 'changed'), text)
      return (await importFolder({ folder: store, put, symlinks: 'refuse', signal })).root
    }
    const first = await version('one')
    const firstBytes = blocks.bytes
    const second = await version('two')
    expect(await blocks.collect([first, second], signal)).toBe(0)
    await blocks.collect([first], signal)
    expect(blocks.bytes).toBe(firstBytes)
    await version('two')
    const lease = blocks.lease()
    await add(blocks, block('of an import'))
    expect(await blocks.has(block('one').digest)).toBe(true)
    await blocks.collect([second], signal)
    expect(await blocks.has(block('of an import').digest)).toBe(true)
    expect(await blocks.has(block('one').digest)).toBe(true)
    lease[Symbol.dispose]()
    await blocks.collect([second], signal)
    expect(await blocks.has(block('of an import').digest)).toBe(false)
    expect(await blocks.has(block('one').digest)).toBe(false)
    expect(
      createHash('sha256')
        .update((await blocks.read(second.digest)) ?? '')
        .digest('hex')
    ).toBe(Buffer.from(second.digest).toString('hex'))
  })

  it('keeps what came before the end of an import or fetch that ends meanwhile', async () => {
    using folder = memoryFolder()
    const blocks = await opened(folder.path)
    const lease = blocks.lease()
    await add(blocks, block('put'))
    const collected = blocks.collect([], signal)
    lease[Symbol.dispose]()
    await collected
    expect(await blocks.has(block('put').digest)).toBe(true)
    await blocks.collect([], signal)
    expect(await blocks.has(block('put').digest)).toBe(false)
  })

  it('removes no block that was found by a fetch at the same time', async () => {
    using folder = memoryFolder()
    const blocks = await opened(folder.path)
    for (let round = 0; round < 20; round++) {
      await add(blocks, block('found'))
      using _ = blocks.lease()
      const collected = blocks.collect([], signal)
      const isFound = await blocks.has(block('found').digest)
      await collected
      expect((await blocks.read(block('found').digest)) !== undefined).toBe(isFound)
    }
  })

  it('removes nothing when it is told to end', async () => {
    using folder = memoryFolder()
    const blocks = await opened(folder.path)
    await add(blocks, block('abc'))
    await expect(blocks.collect([], AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop')
    expect(await blocks.has(block('abc').digest)).toBe(true)
  })
})
