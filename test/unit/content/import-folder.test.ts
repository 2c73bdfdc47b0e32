import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ContentLimitError, FolderChangedError, UnfitNameError } from '../../../src/content/errors.ts'
import { contentLimits, importFolder } from '../../../src/content/import-folder.ts'
import { linkText } from '../../../src/content/link.ts'
import { MemoryBlocks } from '../../helpers/content/blocks.ts'
import { memoryFolder } from '../../helpers/temp.ts'

/** Imports a folder, and does something to it when the first block is stored. */
async function importedWhile(folder: string, change: (times: number) => void) {
  let times = 0
  const put = async (): Promise<void> => change(++times)
  return await importFolder({ folder, put, symlinks: 'refuse', signal: new AbortController().signal })
}

describe('import of a folder that changes while it is read', () => {
  it('reads a file again that grew', async () => {
    using folder = memoryFolder()
    const file = join(folder.path, 'log')
    writeFileSync(file, 'begin')
    const { root, size } = await importedWhile(folder.path, (times) => times === 1 && appendFileSync(file, ' end'))
    expect(size).toBe(9)
    expect(linkText(root)).toBe(linkText((await new MemoryBlocks().import(folder.path)).root))
  })

  it('reads a folder again of which a file vanished, and one that got another', async () => {
    using folder = memoryFolder()
    for (const name of ['a', 'b', 'c']) writeFileSync(join(folder.path, name), name)
    mkdirSync(join(folder.path, 'sub'))
    writeFileSync(join(folder.path, 'sub/d'), 'd')
    const { root, files } = await importedWhile(folder.path, (times) => {
      if (times === 1) for (const name of ['a', 'b', 'c']) rmSync(join(folder.path, name))
      if (times === 2) renameSync(join(folder.path, 'sub'), join(folder.path, 'other'))
    })
    expect(files).toBe(1)
    expect(linkText(root)).toBe(linkText((await new MemoryBlocks().import(folder.path)).root))
  })

  it('says so of a file that never rests', async () => {
    using folder = memoryFolder()
    const file = join(folder.path, 'log')
    writeFileSync(file, 'x')
    await expect(importedWhile(folder.path, () => appendFileSync(file, 'x'))).rejects.toThrow(FolderChangedError)
  })

  it('ends when it is told to', async () => {
    using folder = memoryFolder()
    writeFileSync(join(folder.path, 'a'), 'x'.repeat(1_000_000))
    const abort = new AbortController()
    const put = async (): Promise<void> => abort.abort(new Error('stop'))
    await expect(importFolder({ folder: folder.path, put, symlinks: 'skip', signal: abort.signal })).rejects.toThrow(
      'stop'
    )
  })
})

describe('import of what cannot be shared', () => {
  it('names it: a pipe, a link, a name that is no UTF-8 or of a device, two that differ in case alone', async () => {
    using folder = memoryFolder()
    const path = join(folder.path, 'bad')
    const refusal = async (make: () => void, message: string | RegExp): Promise<void> => {
      rmSync(path, { recursive: true, force: true })
      mkdirSync(path)
      make()
      const imported = new MemoryBlocks().import(path)
      await expect(imported).rejects.toThrow(UnfitNameError)
      await expect(imported).rejects.toThrow(message)
    }
    await refusal(() => execFileSync('mkfifo', [join(path, 'pipe')]), `${path}/pipe is neither file nor folder`)
    await refusal(() => symlinkSync('/etc/passwd', join(path, 'link')), `${path}/link is a symbolic link`)
    await refusal(() => writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.of(0xff)]), ''), 'no UTF-8')
    await refusal(() => writeFileSync(join(path, 'Aux.c'), ''), 'name of a device')
    const both = (): void => {
      for (const name of ['a', 'A']) writeFileSync(join(path, name), '')
    }
    await refusal(both, /"[aA]".*"[aA]"/)
  })

  it('leaves links out, or keeps them, as its policy says', async () => {
    using folder = memoryFolder()
    writeFileSync(join(folder.path, 'file'), 'x')
    const { root } = await new MemoryBlocks().import(folder.path)
    symlinkSync('file', join(folder.path, 'link'))
    const skipped = await new MemoryBlocks().import(folder.path, { symlinks: 'skip' })
    expect(linkText(skipped.root)).toBe(linkText(root))
    const kept = await new MemoryBlocks().import(folder.path, { symlinks: 'keep' })
    expect(kept.files).toBe(2)
    expect(linkText(kept.root)).not.toBe(linkText(root))
  })

  it('ends at its limits, before a large file is read', async () => {
    using folder = memoryFolder()
    mkdirSync(join(folder.path, 'a/b'), { recursive: true })
    writeFileSync(join(folder.path, 'a/f'), 'x'.repeat(100))
    writeFileSync(join(folder.path, 'a/g'), '')
    const blocks = new MemoryBlocks()
    const at = async (limits: Partial<typeof contentLimits>) =>
      await blocks.import(folder.path, { limits: { ...contentLimits, ...limits } })
    await expect(at({ files: 1 })).rejects.toThrow('at most 1 files and folders')
    // Before anything in the folder is read that has too many.
    expect(blocks.all.size).toBe(0)
    expect((await at({ files: 4 })).files).toBe(2)
    await expect(at({ depth: 1 })).rejects.toThrow(ContentLimitError)
    expect((await at({ bytes: 100 })).size).toBe(100)
    blocks.all.clear()
    await expect(at({ bytes: 99 })).rejects.toThrow('at most 99 bytes')
    expect([...blocks.all.values()].every(({ length }) => length < 100)).toBe(true)
  })
})
