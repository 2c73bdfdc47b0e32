import { cpSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runProgram } from '../../helpers/built-program.ts'
import { runCli } from '../../helpers/control-process.ts'
import { type StoppedRoot, stoppedEnv, stoppedRoot } from '../../helpers/faults/stopped-root.ts'
import { tempFolder } from '../../helpers/temp.ts'

/** What has become of the store beside keys and kits that are all there. */
const damages = new Map<string, (path: string) => void>([
  ['gone', () => undefined],
  ['empty', (path) => writeFileSync(path, '')],
  ['empty, with an empty log beside it', (path) => [path, `${path}-wal`].map((file) => writeFileSync(file, ''))],
  ['a text', (path) => writeFileSync(path, 'hello\n')],
  ['cut off', (path) => writeFileSync(path, 'SQLite format 3\0')],
  ['a folder', (path) => mkdirSync(path)],
  ['a link to nothing', (path) => symlinkSync('/nowhere/registry.db', path)]
])

const sizes = (folder: string): string[] =>
  readdirSync(folder).map((name) => `${name} ${lstatSync(join(folder, name)).size}`)

const commands: readonly (readonly string[])[] = [
  ['registry', 'start'],
  ['node', 'start', '--name', 'root'],
  ['init', '--domain', 'example.test', '--name', 'root', '--new-network'],
  ['registry', 'verify', '--name', 'root'],
  ['registry', 'backup', '--node', 'root', '--to', 'FOLDER/another.db'],
  ['registry', 'promote', '--name', 'root', '--yes'],
  ['registry', 'diff', 'FOLDER/copy.db', '--node', 'root'],
  ['authority', 'rotate', '--name', 'root', '--kit', 'FOLDER/data/root/next-recovery.kit', '--to', 'FOLDER/k', '--yes']
]

/** An error of the system, of SQLite or of a library in its own words. */
const raw = /\bE[A-Z]{4,}\b|SQLITE_|no such table|undefined|^ +at /m

let made: StoppedRoot
beforeAll(async () => {
  made = await stoppedRoot()
  const backup = ['registry', 'backup', '--to', join(made.path, 'copy.db')]
  expect(await runProgram(backup, stoppedEnv(made.path))).toMatchObject({ code: 0 })
})
afterAll(() => made[Symbol.dispose]())

describe.each([...damages])('a store that is %s', (_, damage) => {
  test('is called new by no command: each refuses, says why, and leaves the folder as it was', async () => {
    using folder = tempFolder()
    cpSync(made.path, folder.path, { recursive: true })
    const data = join(folder.path, 'data', 'root')
    for (const end of ['', '-wal', '-shm']) rmSync(join(data, `registry.db${end}`), { force: true })
    damage(join(data, 'registry.db'))
    const before = sizes(data)
    for (const command of commands) {
      const argv = command.map((word) => word.replace('FOLDER', folder.path))
      const { code, err } = await runCli(argv, { home: folder.path, env: stoppedEnv(folder.path) })
      const shown = command.slice(0, 2).join(' ')
      expect({ shown, code, err }).toEqual({
        shown,
        code: expect.toBeOneOf([1, 2, 4]),
        err: expect.stringMatching(/^error: .*(registry\.db|log\.key).*/m)
      })
      expect({ shown, err }).toEqual({ shown, err: expect.not.stringMatching(raw) })
      expect({ shown, files: sizes(data) }).toEqual({ shown, files: before })
    }
    const restore = ['registry', 'restore', join(folder.path, 'copy.db'), '--name', 'root']
    expect(await runCli(restore, { home: folder.path, env: stoppedEnv(folder.path) })).toMatchObject({ code: 0 })
  })
})
