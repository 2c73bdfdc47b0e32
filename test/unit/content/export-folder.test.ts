import { randomBytes } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BlockMissingError, ContentLimitError, InvalidBlockError, UnfitNameError } from '../../../src/content/errors.ts'
import { type Exported, type ExportInit, exportFolder } from '../../../src/content/export-folder.ts'
import { standardSettings } from '../../../src/content/file-tree.ts'
import { contentLimits } from '../../../src/content/import-folder.ts'
import type { Link } from '../../../src/content/link.ts'
import { digestKey } from '../../../src/content/walk.ts'
import { filesOf, MemoryBlocks } from '../../helpers/content/blocks.ts'
import { memoryFolder } from '../../helpers/temp.ts'

const exported = async (
  blocks: MemoryBlocks,
  root: Link,
  target: string,
  options: Partial<ExportInit> = {}
): Promise<Exported> =>
  await exportFolder({
    root,
    target,
    read: blocks.read,
    symlinks: 'refuse',
    signal: new AbortController().signal,
    ...options
  })

/** Files of all kinds: empty, one byte, about a block, several blocks, folders, names of the world. */
function writeSample(folder: string): void {
  mkdirSync(join(folder, 'ordner/λ/empty'), { recursive: true })
  for (const size of [0, 1, 262_143, 262_144, 262_145, 1_000_000])
    writeFileSync(join(folder, 'ordner', `of-${size}`), randomBytes(size))
  writeFileSync(join(folder, 'ordner/λ/文件 👩‍💻.txt'), 'text')
  writeFileSync(join(folder, '.hidden'), 'h')
}

describe('export of a folder', () => {
  it('gives what was imported, and writes nothing again that is there', async () => {
    using temp = memoryFolder()
    const [from, to] = [join(temp.path, 'from'), join(temp.path, 'to')]
    mkdirSync(from)
    writeSample(from)
    const blocks = new MemoryBlocks()
    const { root, files, size } = await blocks.import(from)
    expect({ files, size }).toEqual({ files: 8, size: 1_786_438 })
    expect((await exported(blocks, root, to)).written).toBe(8)
    expect(filesOf(to)).toEqual(filesOf(from))
    expect((await exported(blocks, root, to)).written).toBe(0)
    writeFileSync(join(to, 'ordner/of-1000000'), 'another')
    writeFileSync(join(to, 'own'), 'stays')
    expect((await exported(blocks, root, to)).written).toBe(1)
    expect(filesOf(to)).toEqual({ ...filesOf(from), own: Buffer.from('stays').toString('base64') })
  })

  it('gives a folder that is spread over several blocks', async () => {
    using temp = memoryFolder()
    const [from, to] = [join(temp.path, 'from'), join(temp.path, 'to')]
    mkdirSync(from)
    for (let i = 0; i < 100; i++) writeFileSync(join(from, `file ${i}`), `${i}`)
    const blocks = new MemoryBlocks()
    const { root } = await blocks.import(from, { settings: { ...standardSettings, isLarge: () => true } })
    await exported(blocks, root, to)
    expect(filesOf(to)).toEqual(filesOf(from))
  })

  it('leaves no half file when a block is missing, and goes on when it is there', async () => {
    using temp = memoryFolder()
    const [from, to] = [join(temp.path, 'from'), join(temp.path, 'to')]
    mkdirSync(from)
    writeFileSync(join(from, 'large'), randomBytes(1_000_000))
    const blocks = new MemoryBlocks()
    const { root } = await blocks.import(from)
    const [key, bytes] = [...blocks.all].find((entry) => entry[1].length === 1_000_000 - 3 * 262_144) ?? []
    if (key === undefined || bytes === undefined) throw new Error('there is no last block')
    blocks.all.delete(key)
    await expect(exported(blocks, root, to)).rejects.toThrow(BlockMissingError)
    expect(readdirSync(to)).toEqual([])
    blocks.all.set(key, bytes)
    writeFileSync(join(to, '.trustnet-part-killed'), 'half')
    await exported(blocks, root, to)
    expect(filesOf(to)).toEqual(filesOf(from))
  })

  it.each(['..', '.', '', '/tmp/x', '../x', 'a/b', 'a\0b', 'con', 'LPT1.txt', 'a\\b'])(
    'writes nothing under the name %j',
    async (name) => {
      using temp = memoryFolder()
      const blocks = new MemoryBlocks()
      const root = blocks.folder({ ok: blocks.raw('ok'), [name]: blocks.raw('bad') })
      await expect(exported(blocks, root, join(temp.path, 'to'))).rejects.toThrow(UnfitNameError)
      expect(readdirSync(temp.path)).toEqual(['to'])
      expect(readdirSync(join(temp.path, 'to'))).toEqual([])
    }
  )

  it('names two entries that differ in case alone', async () => {
    using temp = memoryFolder()
    const blocks = new MemoryBlocks()
    const root = blocks.folder({ README: blocks.raw('1'), ReadMe: blocks.raw('2') })
    await expect(exported(blocks, root, temp.path)).rejects.toThrow(/"ReadMe".*"README"/)
  })

  it('follows no link that stands in its target, neither for a folder nor for a file', async () => {
    using temp = memoryFolder()
    const [to, outside] = [join(temp.path, 'to'), join(temp.path, 'outside')]
    mkdirSync(to)
    mkdirSync(outside)
    writeFileSync(join(outside, 'f'), 'untouched')
    const blocks = new MemoryBlocks()
    const sub = blocks.node({ type: 'folder', parts: [{ ...blocks.raw('new'), name: 'f' }] })
    symlinkSync(outside, join(to, 'sub'))
    await expect(exported(blocks, blocks.folder({ sub }), to)).rejects.toThrow(UnfitNameError)
    symlinkSync(join(outside, 'f'), join(to, 'file'))
    await exported(blocks, blocks.folder({ file: blocks.raw('new') }), to)
    expect(readFileSync(join(outside, 'f'), 'utf8')).toBe('untouched')
    expect(readFileSync(join(to, 'file'), 'utf8')).toBe('new')
    expect(lstatSync(join(to, 'file')).isSymbolicLink()).toBe(false)
  })

  it('writes to no folder to which a link leads that was put in the place of its target, or above it', async () => {
    using temp = memoryFolder()
    const [to, outside] = [join(temp.path, 'to'), join(temp.path, 'outside')]
    mkdirSync(outside)
    const blocks = new MemoryBlocks()
    const root = blocks.folder({ 'node.key': blocks.raw('new') })
    symlinkSync(outside, to)
    for (const target of [to, join(to, 'deep', 'er')])
      await expect(exported(blocks, root, target)).rejects.toThrow(/leads to .*outside.* by now/)
    expect(readdirSync(outside, { recursive: true })).not.toContainEqual(expect.stringContaining('node.key'))
    rmSync(to)
    mkdirSync(to)
    await exported(blocks, root, to)
    expect(readdirSync(to)).toEqual(['node.key'])
  })

  it('makes links as its policy says, and none that leads out of the store', async () => {
    using temp = memoryFolder()
    const blocks = new MemoryBlocks()
    const link = (target: string) => blocks.node({ type: 'symlink', target: Buffer.from(target) })
    const root = blocks.folder({ file: blocks.raw('x'), link: link('file') })
    await expect(exported(blocks, root, join(temp.path, 'refuse'))).rejects.toThrow('symbolic link')
    await exported(blocks, root, join(temp.path, 'skip'), { symlinks: 'skip' })
    expect(readdirSync(join(temp.path, 'skip'))).toEqual(['file'])
    await exported(blocks, root, join(temp.path, 'keep'), { symlinks: 'keep' })
    expect(readlinkSync(join(temp.path, 'keep/link'))).toBe('file')
    expect((await exported(blocks, root, join(temp.path, 'keep'), { symlinks: 'keep' })).written).toBe(0)
    for (const target of ['/etc/passwd', '..', '../x', 'a/../../x', 'link/../..', '', 'a\0b']) {
      const bad = exported(blocks, blocks.folder({ bad: link(target) }), join(temp.path, 'bad'), { symlinks: 'keep' })
      await expect(bad).rejects.toThrow('leads out of the store')
    }
    const deep = blocks.folder({ sub: blocks.node({ type: 'folder', parts: [{ ...link('../file'), name: 'up' }] }) })
    await exported(blocks, deep, join(temp.path, 'deep'), { symlinks: 'keep' })
    expect(readlinkSync(join(temp.path, 'deep/sub/up'))).toBe('../file')
  })

  it('says what stands in its way and leaves it', async () => {
    using temp = memoryFolder()
    const blocks = new MemoryBlocks()
    mkdirSync(join(temp.path, 'f/kept'), { recursive: true })
    writeFileSync(join(temp.path, 'd'), 'kept')
    await expect(exported(blocks, blocks.folder({ f: blocks.raw('x') }), temp.path)).rejects.toThrow('is a folder')
    const sub = blocks.node({ type: 'folder', parts: [] })
    await expect(exported(blocks, blocks.folder({ d: sub }), temp.path)).rejects.toThrow('is no folder')
    expect(existsSync(join(temp.path, 'f/kept'))).toBe(true)
    expect(readFileSync(join(temp.path, 'd'), 'utf8')).toBe('kept')
    expect(readdirSync(temp.path).toSorted()).toEqual(['d', 'f'])
  })

  it('ends at its limits: files of one block again and again, bytes, folders inside of each other', async () => {
    using temp = memoryFolder()
    const blocks = new MemoryBlocks()
    const at = (limits: Partial<typeof contentLimits>) => ({ limits: { ...contentLimits, ...limits } })
    // Seven blocks say a million files.
    let node = blocks.raw('x')
    for (let level = 0; level < 6; level++)
      node = blocks.node({ type: 'folder', parts: Array.from({ length: 10 }, (_, i) => ({ ...node, name: `${i}` })) })
    await expect(exported(blocks, node, join(temp.path, 'a'), at({ files: 50 }))).rejects.toThrow(ContentLimitError)
    await expect(exported(blocks, node, join(temp.path, 'b'), at({ depth: 3 }))).rejects.toThrow('deeper')
    await expect(exported(blocks, node, join(temp.path, 'c'), at({ bytes: 5 }))).rejects.toThrow('5 bytes')
    let file = blocks.raw('0123456789')
    for (let level = 1, size = 10; level < 6; level++, size *= 20) {
      const parts = Array.from({ length: 20 }, () => ({ ...file, name: '' }))
      file = blocks.node({ type: 'file', parts, sizes: parts.map(() => size), size: size * 20 })
    }
    const huge = exported(blocks, blocks.folder({ file }), join(temp.path, 'd'), at({ bytes: 2000 }))
    await expect(huge).rejects.toThrow(ContentLimitError)
    expect(readdirSync(join(temp.path, 'd'))).toEqual([])
  })

  it('removes what an earlier version had and this one has not, and nothing that somebody has changed or added', async () => {
    using temp = memoryFolder()
    const [from, to] = [join(temp.path, 'from'), join(temp.path, 'to')]
    mkdirSync(join(from, 'gone/deep'), { recursive: true })
    mkdirSync(join(from, 'half'))
    const write = (folder: string, names: readonly string[], text = 'x'): void => {
      for (const name of names) writeFileSync(join(folder, name), `${text} ${name}`)
    }
    write(from, ['a', 'b', 'mine', 'gone/deep/c', 'half/d', 'half/e', 'turns'])
    symlinkSync('a', join(from, 'link'))
    const blocks = new MemoryBlocks()
    const symlinks = 'keep'
    const first = (await blocks.import(from, { symlinks })).root
    await exported(blocks, first, to, { symlinks })
    write(to, ['mine', 'half/e', 'added'], 'changed')
    for (const name of ['b', 'mine', 'gone', 'half', 'link', 'turns']) rmSync(join(from, name), { recursive: true })
    mkdirSync(join(from, 'turns'))
    write(from, ['turns/f'])
    const second = (await blocks.import(from)).root
    await exported(blocks, second, to, { symlinks, before: [first] })
    const rest = ['mine', 'half/e', 'added'].map((name) => [name, Buffer.from(`changed ${name}`).toString('base64')])
    expect(filesOf(to)).toEqual({ ...filesOf(from), 'half/': '', ...Object.fromEntries(rest) })
    // And back: a file in the place of a folder.
    await exported(blocks, first, to, { symlinks, before: [second] })
    expect(readFileSync(join(to, 'turns'), 'utf8')).toBe('x turns')
  })

  it('removes nothing where the earlier version cannot be read, and nothing outside of the folder', async () => {
    using temp = memoryFolder()
    const to = join(temp.path, 'to')
    const blocks = new MemoryBlocks()
    writeFileSync(join(temp.path, 'x'), 'x')
    mkdirSync(join(temp.path, 'out'))
    writeFileSync(join(temp.path, 'out/x'), 'x')
    mkdirSync(to)
    symlinkSync('../out', join(to, 'sub'))
    const sub = blocks.node({ type: 'folder', parts: [{ ...blocks.raw('x'), name: 'x' }] })
    const hostile = blocks.folder({ '../x': blocks.raw('x'), '..': sub, sub })
    const missing = blocks.folder({ gone: blocks.raw('x') })
    const root = blocks.folder({ now: blocks.raw('now') })
    blocks.all.delete(digestKey(missing.digest))
    await exported(blocks, root, to, { before: [hostile, missing, blocks.raw('no folder')] })
    expect(readdirSync(temp.path).toSorted()).toEqual(['out', 'to', 'x'])
    expect(readdirSync(join(temp.path, 'out'))).toEqual(['x'])
    expect(readdirSync(to).toSorted()).toEqual(['now', 'sub'])
  })

  it('lists no folder for which no files are left, while those above it are half written', async () => {
    using temp = memoryFolder()
    const blocks = new MemoryBlocks()
    const files = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`file ${i}`, blocks.raw(`${i}`)]))
    const inner = blocks.node({
      type: 'folder',
      parts: Object.entries(files(100)).map(([name, part]) => ({ ...part, name }))
    })
    const root = blocks.folder({ '0 inner': inner, ...files(99) })
    const limits = { ...contentLimits, files: 150 }
    await expect(exported(blocks, root, temp.path, { limits })).rejects.toThrow(ContentLimitError)
    expect(readdirSync(join(temp.path, '0 inner'))).toEqual([])
    expect((await exported(blocks, root, temp.path, { limits: { ...limits, files: 200 } })).files).toBe(200)
  })

  it('refuses content that is none', async () => {
    using temp = memoryFolder()
    const blocks = new MemoryBlocks()
    const parts = [{ ...blocks.raw('abc'), name: '' }]
    const wrongSize = blocks.node({ type: 'file', parts, sizes: [4], size: 4 })
    const places = Uint8Array.of(1)
    const inFolder = (part: { name: string }) =>
      blocks.node({ type: 'shard', places, parts: [{ ...parts[0], ...part }] as never })
    const empty = blocks.node({ type: 'shard', parts: [], places: new Uint8Array() })
    const roots = [
      blocks.raw('a file'),
      blocks.folder({ wrongSize }),
      inFolder({ name: 'x' }),
      blocks.node({ type: 'shard', places, parts: [{ ...empty, name: '00' }] }),
      blocks.node({ type: 'shard', places, parts: [{ ...blocks.node({ type: 'folder', parts: [] }), name: '00' }] })
    ]
    for (const root of roots) await expect(exported(blocks, root, temp.path)).rejects.toThrow(InvalidBlockError)
    expect(readdirSync(temp.path)).toEqual([])
    expect(statSync(temp.path).isDirectory()).toBe(true)
    expect(blocks.all.has(digestKey(empty.digest))).toBe(true)
  })
})
