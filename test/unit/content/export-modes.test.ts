import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Exported, type ExportInit, exportFolder } from '../../../src/content/export-folder.ts'
import type { Link } from '../../../src/content/link.ts'
import { filesOf, MemoryBlocks } from '../../helpers/content/blocks.ts'
import { memoryFolder } from '../../helpers/temp.ts'

const exported = async (
  blocks: MemoryBlocks,
  root: Link,
  target: string,
  options: Partial<ExportInit> = {}
): Promise<Exported> => {
  const { signal } = new AbortController()
  return await exportFolder({ root, target, read: blocks.read, symlinks: 'refuse', signal, ...options })
}

describe('an export', () => {
  it('keeps what can be run where modes are kept at both ends, and corrects only that', async () => {
    using temp = memoryFolder()
    const from = join(temp.path, 'from')
    mkdirSync(from)
    for (const [name, mode] of [
      ['run', 0o4777],
      ['text', 0o666],
      ['empty', 0o700]
    ] as const) {
      writeFileSync(join(from, name), name === 'empty' ? '' : name)
      chmodSync(join(from, name), mode)
    }
    writeFileSync(join(from, 'big'), randomBytes(600_000), { mode: 0o755 })
    const blocks = new MemoryBlocks()
    const { root } = await blocks.import(from, { modes: 'keep' })
    const modesOf = (folder: string) =>
      ['run', 'text', 'empty', 'big'].map((name) => (statSync(join(folder, name)).mode & 0o7777).toString(8))
    const all = { modes: { file: 0o640, folder: 0o750, program: 0o750 } }
    const to = join(temp.path, 'to')
    expect((await exported(blocks, root, to, all)).written).toBe(4)
    expect(filesOf(to)).toEqual(filesOf(from))
    expect(modesOf(to)).toEqual(['750', '640', '750', '750'])

    chmodSync(join(to, 'run'), 0o600)
    chmodSync(join(to, 'text'), 0o604)
    expect((await exported(blocks, root, to, all)).written).toBe(0)
    expect(modesOf(to)).toEqual(['750', '604', '750', '750'])

    const ignoring = join(temp.path, 'ignoring')
    await exported(blocks, root, ignoring)
    expect(modesOf(ignoring)).toEqual(['644', '644', '644', '644'])
    chmodSync(join(ignoring, 'text'), 0o755)
    await exported(blocks, root, ignoring)
    expect(modesOf(ignoring)).toEqual(['644', '755', '644', '644'])

    // What one version wrote goes with the next, whatever it says of modes.
    rmSync(join(from, 'run'))
    const next = await blocks.import(from)
    await exported(blocks, next.root, to, { ...all, before: [root] })
    expect(filesOf(to)).toEqual(filesOf(from))
  })

  it('makes files and folders with the modes that are said, whatever the mask of the process is', async () => {
    using temp = memoryFolder()
    const [from, to] = [join(temp.path, 'from'), join(temp.path, 'to')]
    mkdirSync(join(from, 'sub'), { recursive: true })
    writeFileSync(join(from, 'sub/file'), 'x')
    const blocks = new MemoryBlocks()
    const { root } = await blocks.import(from)
    const modesOf = (folder: string) =>
      ['', 'sub', 'sub/file'].map((name) => (statSync(join(folder, name)).mode & 0o777).toString(8))
    await exported(blocks, root, to, { modes: { file: 0o666, folder: 0o777 } })
    expect(modesOf(to)).toEqual(['777', '777', '666'])
    await exported(blocks, root, join(temp.path, 'usual'))
    expect(modesOf(join(temp.path, 'usual'))).toEqual(['755', '755', '644'])
  })
})
