import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { ContentLimitError, InvalidBlockError } from '../../../src/content/errors.ts'
import { type Fetch, fetchContent } from '../../../src/content/fetch-content.ts'
import type { Link } from '../../../src/content/link.ts'
import { rawBlock } from '../../../src/content/node.ts'
import { digestKey, reachable } from '../../../src/content/walk.ts'
import { MemoryBlocks } from '../../helpers/content/blocks.ts'
import { memoryFolder } from '../../helpers/temp.ts'

/** Gives what another has, with the next want asked for before the last one is answered, and counts them; ends after `most`. */
function from(owner: MemoryBlocks, asked: string[], most = Number.POSITIVE_INFINITY): Fetch {
  return async function* (wants) {
    const iterator = wants[Symbol.asyncIterator]()
    let ahead = iterator.next()
    while (asked.length < most) {
      const { done, value: digest } = await ahead
      if (done === true) return
      ahead = iterator.next()
      asked.push(digestKey(digest))
      const bytes = owner.all.get(digestKey(digest))
      if (bytes === undefined) break
      yield { digest, bytes }
    }
    await iterator.return?.()
  }
}

const keysOf = (blocks: MemoryBlocks): string[] => [...blocks.all.keys()].toSorted()

async function sample(folder: string): Promise<{ owner: MemoryBlocks; root: Link }> {
  const owner = new MemoryBlocks()
  mkdirSync(join(folder, 'a/b'), { recursive: true })
  writeFileSync(join(folder, 'a/large'), randomBytes(1_500_000))
  writeFileSync(join(folder, 'a/b/same'), 'same')
  writeFileSync(join(folder, 'same'), 'same')
  return { owner, root: (await owner.import(folder)).root }
}

describe('fetch of content', () => {
  it('asks for each block once', async () => {
    using folder = memoryFolder()
    const { owner, root } = await sample(folder.path)
    const [mine, asked] = [new MemoryBlocks(), [] as string[]]
    expect(await fetchContent(root, mine, from(owner, asked))).toBe(true)
    expect(keysOf(mine)).toEqual(keysOf(owner))
    expect(asked).toHaveLength(owner.all.size)
    expect(await fetchContent(root, mine, from(owner, asked))).toBe(true)
    expect(asked).toHaveLength(owner.all.size)
  })

  it.each([1, 2, 3, 5, 8])('goes on after it was broken off behind %i blocks, without asking again', async (most) => {
    using folder = memoryFolder()
    const { owner, root } = await sample(folder.path)
    const [mine, asked] = [new MemoryBlocks(), [] as string[]]
    expect(await fetchContent(root, mine, from(owner, asked, most))).toBe(false)
    expect(await fetchContent(root, mine, from(owner, asked))).toBe(true)
    expect(keysOf(mine)).toEqual(keysOf(owner))
    expect(new Set(asked).size).toBe(asked.length)
  })

  it('sends little of a version in which one byte changed', async () => {
    using folder = memoryFolder()
    const { owner, root } = await sample(folder.path)
    const mine = new MemoryBlocks()
    await fetchContent(root, mine, from(owner, []))
    const bytes = randomBytes(1)
    writeFileSync(join(folder.path, 'same'), bytes)
    const asked: string[] = []
    const newer = await owner.import(folder.path)
    expect(await fetchContent(newer.root, mine, from(owner, asked))).toBe(true)
    // The file, and the folder in which it is.
    expect(asked).toHaveLength(2)
  })

  it('sends one block and those above it of a large file in which one byte changed', async () => {
    using folder = memoryFolder()
    const path = join(folder.path, 'large')
    // More than one node has links for.
    const bytes = randomBytes(180 * 262_144)
    writeFileSync(path, bytes)
    const [owner, mine] = [new MemoryBlocks(), new MemoryBlocks()]
    await fetchContent((await owner.import(folder.path)).root, mine, from(owner, []))
    bytes[100 * 262_144] = (bytes[100 * 262_144] ?? 0) ^ 1
    writeFileSync(path, bytes)
    const asked: string[] = []
    expect(await fetchContent((await owner.import(folder.path)).root, mine, from(owner, asked))).toBe(true)
    // The block, the node with 174 links, the one above it, and the folder.
    expect(asked).toHaveLength(4)
    expect(asked.reduce((sum, key) => sum + (owner.all.get(key)?.length ?? 0), 0)).toBeLessThan(300_000)
  })

  it('asks for the blocks that one node names together, and not one after the other as they are looked for', async () => {
    using folder = memoryFolder()
    for (let file = 0; file < 32; file++) writeFileSync(join(folder.path, `${file}`), `${file}`)
    const owner = new MemoryBlocks()
    const { root } = await owner.import(folder.path)
    const mine = new MemoryBlocks()
    const has = async (digest: Uint8Array): Promise<boolean> => {
      await nextTurn()
      return await mine.has(digest)
    }
    const asked: string[] = []
    let turns = 0
    const counted: Fetch = async function* (wants) {
      let isCounting = true
      const count = (): void => {
        turns++
        if (isCounting) setImmediate(count)
      }
      for await (const block of from(owner, asked)(wants)) {
        if (asked.length === 2) count()
        yield block
      }
      isCounting = false
    }
    expect(await fetchContent(root, { has, read: mine.read, put: mine.put }, counted)).toBe(true)
    expect(asked).toHaveLength(33)
    expect(turns).toBeLessThan(16)
  })

  it.each(['a', 'z'])('fetches what is below a node that is also linked as bytes (%s)', async (name) => {
    // A folder may hold the file of a block, as those of other tools do.
    const owner = new MemoryBlocks()
    const sub = owner.node({ type: 'folder', parts: [{ ...owner.raw('below'), name: 'file' }] })
    const root = owner.folder({ m: sub, [name]: { ...sub, codec: 'raw' } })
    const [mine, asked] = [new MemoryBlocks(), [] as string[]]
    expect(await fetchContent(root, mine, from(owner, asked))).toBe(true)
    expect(keysOf(mine)).toEqual(keysOf(owner))
    expect(asked).toHaveLength(owner.all.size)
    // It goes on where the block is here, and what is below it is not.
    const part = new MemoryBlocks()
    part.all.set(digestKey(sub.digest), owner.all.get(digestKey(sub.digest)) ?? new Uint8Array())
    expect(await fetchContent(root, part, from(owner, []))).toBe(true)
    expect(keysOf(part)).toEqual(keysOf(owner))
    const read = async (digest: Uint8Array) => await mine.read(digest)
    const kept = new Set<string>()
    for await (const key of reachable(root, read)) kept.add(key)
    expect(kept).toEqual(new Set(keysOf(owner)))
  })

  it('says that it is not complete when a block is nowhere', async () => {
    using folder = memoryFolder()
    const { owner, root } = await sample(folder.path)
    owner.all.delete(digestKey(owner.raw('same').digest))
    expect(await fetchContent(root, new MemoryBlocks(), from(owner, []))).toBe(false)
  })

  it('ends where more blocks are named than a store has: their names alone would fill the memory', async () => {
    const owner = new MemoryBlocks()
    // Each node names twenty blocks that nobody has, and behind them the next node.
    let node = owner.raw('end')
    for (let level = 0; level < 10; level++) {
      const absent = Array.from({ length: 20 }, () => ({ ...rawBlock(randomBytes(8)), name: '' }))
      node = owner.node({ type: 'folder', parts: [...absent, { ...node, name: 'next' }] })
    }
    let given = 0
    const fetch: Fetch = async function* (wants) {
      for await (const digest of wants) {
        const bytes = owner.all.get(digestKey(digest))
        if (bytes === undefined) continue
        given++
        yield { digest, bytes }
      }
    }
    const fetched = fetchContent(node, new MemoryBlocks(), fetch, 100)
    await expect(fetched).rejects.toThrow(ContentLimitError)
    await expect(fetched).rejects.toThrow('more than 100 blocks')
    // And what was on its way.
    expect(given).toBeLessThanOrEqual(5 + 8)
  })

  it('stores several blocks at a time: a disk that is slow with one holds back none of the others', async () => {
    using folder = memoryFolder()
    const { owner, root } = await sample(folder.path)
    const mine = new MemoryBlocks()
    const held = Promise.withResolvers<void>()
    let most = 0
    let storing = 0
    const put = async (digest: Uint8Array, bytes: Uint8Array): Promise<void> => {
      most = Math.max(most, ++storing)
      if (most === 2) held.resolve()
      // Leaves are independent of each other: the first one is there when another one is being stored.
      if (bytes.length > 200_000) await held.promise
      await mine.put(digest, bytes)
      storing--
    }
    expect(await fetchContent(root, { has: mine.has, read: mine.read, put }, from(owner, []))).toBe(true)
    expect(keysOf(mine)).toEqual(keysOf(owner))
  })

  it('asks for no more than is on its way when one cannot be stored, and says why', async () => {
    using folder = memoryFolder()
    const { owner, root } = await sample(folder.path)
    const [mine, asked] = [new MemoryBlocks(), [] as string[]]
    let storing = 0
    const put = async (digest: Uint8Array, bytes: Uint8Array): Promise<void> => {
      if (mine.all.size === 1) throw new Error('no space left')
      storing++
      await mine.put(digest, bytes)
      storing--
    }
    await expect(fetchContent(root, { has: mine.has, read: mine.read, put }, from(owner, asked))).rejects.toThrow(
      'no space left'
    )
    expect(storing).toBe(0)
    expect(asked.length).toBeLessThan(owner.all.size)
  })

  it('ends at a root that leads to what is no content', async () => {
    const owner = new MemoryBlocks()
    const { digest } = owner.raw('no node')
    await expect(fetchContent({ codec: 'node', digest }, new MemoryBlocks(), from(owner, []))).rejects.toThrow(
      InvalidBlockError
    )
  })
})
