import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BlockFolder } from '../../../src/content/block-folder.ts'
import { exportFolder } from '../../../src/content/export-folder.ts'
import { importFolder } from '../../../src/content/import-folder.ts'
import { linkText } from '../../../src/content/link.ts'
import { partPrefix } from '../../../src/content/names.ts'
import { type MadeBlock, rawBlock } from '../../../src/content/node.ts'
import { filesOf, MemoryBlocks } from '../../helpers/content/blocks.ts'
import { memoryFolder } from '../../helpers/temp.ts'

const { signal } = new AbortController()
const quotaBytes = 2 ** 30
const moduleAt = (name: string): string => new URL(`../../../src/content/${name}.ts`, import.meta.url).href

/** Imports a folder and exports it again, with a line before each block that it stores, and each that it reads. */
const copier = `
const { BlockFolder } = await import('${moduleAt('block-folder')}')
const { importFolder } = await import('${moduleAt('import-folder')}')
const { exportFolder } = await import('${moduleAt('export-folder')}')
const [, from, folder, target] = process.argv
const { signal } = new AbortController()
const blocks = await BlockFolder.open({ folder, quotaBytes: () => ${quotaBytes} })
const put = async ({ digest, bytes }) => {
  process.stdout.write('put\\n')
  await blocks.put(digest, bytes)
}
const { root } = await importFolder({ folder: from, put, symlinks: 'refuse', signal })
await blocks.flush()
const read = async (digest) => {
  process.stdout.write('read\\n')
  return await blocks.read(digest)
}
await exportFolder({ root, read, target, symlinks: 'refuse', signal })
process.stdout.write('done\\n')`

/** Gives the number of lines that it wrote until it was killed at one of them, or ended. */
async function killedAt(line: number, paths: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', copier, ...paths], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let told = ''
  for await (const chunk of child.stdout) {
    told += String(chunk)
    if (told.split('\n').length > line) child.kill('SIGKILL')
  }
  return told.split('\n').length - 1
}

const opened = async (folder: string): Promise<BlockFolder> =>
  await BlockFolder.open({ folder, quotaBytes: () => quotaBytes })

/** Imports and exports again, as the next process does. */
async function copied(from: string, folder: string, target: string): Promise<string> {
  const blocks = await opened(folder)
  const put = async ({ digest, bytes }: MadeBlock): Promise<void> => await blocks.put(digest, bytes)
  const { root } = await importFolder({ folder: from, put, symlinks: 'refuse', signal })
  await exportFolder({ root, read: async (digest) => await blocks.read(digest), target, symlinks: 'refuse', signal })
  return linkText(root)
}

describe('a process that is killed while it imports or exports', () => {
  it('leaves whole blocks and whole files alone, and the next one ends it', async () => {
    using temp = memoryFolder()
    const [from, folder, target] = ['from', 'blocks', 'target'].map((name) => join(temp.path, name)) as [
      string,
      string,
      string
    ]
    mkdirSync(join(from, 'sub'), { recursive: true })
    for (let i = 0; i < 6; i++)
      writeFileSync(join(from, i % 2 === 0 ? '' : 'sub', `file ${i}`), randomBytes(i * 150_000))
    const files = filesOf(from)
    const { root } = await new MemoryBlocks().import(from)
    let isDone = false
    for (let line = 1; !isDone; line += 4) {
      isDone = (await killedAt(line, [from, folder, target])) < line
      const blocks = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
        (entry) => entry.isFile() && !entry.name.startsWith('.part-')
      )
      for (const { parentPath, name } of blocks) {
        const digest = Buffer.from(parentPath.slice(-2) + name, 'hex')
        expect(Buffer.from(rawBlock(readFileSync(join(parentPath, name))).digest)).toEqual(digest)
      }
      const there = Object.entries(line === 1 ? {} : filesOf(temp.path)).filter(([name]) => name.startsWith('target/'))
      for (const [name, bytes] of there)
        if (!name.includes(partPrefix) && name !== 'target/') expect(files[name.slice('target/'.length)]).toBe(bytes)
    }
    expect(await copied(from, folder, target)).toBe(linkText(root))
    expect(filesOf(target)).toEqual(files)
    expect((await opened(folder)).bytes).toBeGreaterThan(1_500_000)
    expect(readdirSync(folder, { recursive: true }).filter((name) => String(name).includes('.part-'))).toEqual([])
  })
})

describe.runIf(process.getuid?.() === 0)('on a full disk', () => {
  it('blocks and files are whole or not there, and go on when there is room', async () => {
    using temp = memoryFolder()
    const [from, disk] = ['from', 'disk'].map((name) => join(temp.path, name)) as [string, string]
    mkdirSync(from)
    mkdirSync(disk)
    for (let i = 0; i < 4; i++) writeFileSync(join(from, `file ${i}`), randomBytes(250_000))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=700k', 'tmpfs', disk])
    try {
      const [folder, target] = [join(disk, 'blocks'), join(disk, 'target')]
      await expect(copied(from, folder, join(temp.path, 'x'))).rejects.toThrow('ENOSPC')
      const { bytes } = await opened(folder)
      expect(bytes).toBe(500_000)
      expect(readdirSync(folder, { recursive: true }).filter((name) => String(name).includes('.part-'))).toEqual([])
      execFileSync('mount', ['-o', 'remount,size=1700k', disk])
      await expect(copied(from, folder, target)).rejects.toThrow('ENOSPC')
      expect(Object.entries(filesOf(target)).filter(([name, content]) => filesOf(from)[name] !== content)).toEqual([])
      execFileSync('mount', ['-o', 'remount,size=8m', disk])
      await copied(from, folder, target)
      expect(filesOf(target)).toEqual(filesOf(from))
    } finally {
      execFileSync('umount', ['-l', disk])
    }
  })
})
