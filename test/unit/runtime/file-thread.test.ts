import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeEach, expect, test } from 'vitest'
import { fileThread } from '../../../src/runtime/files/file-thread.ts'
import { memoryFolder } from '../../helpers/temp.ts'

let folder: ReturnType<typeof memoryFolder>
beforeEach(() => {
  folder = memoryFolder()
  return () => folder[Symbol.dispose]()
})

const at = (...names: string[]): string => join(folder.path, ...names)
const write = async (name: string, text: string) => await fileThread.write(at(name), at('part'), Buffer.from(text))
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

test('writes a file whole, with its folder, for its owner alone, and reads it with its digest', async () => {
  const bytes = Buffer.from('--abc--').subarray(2, 5)
  const part = at('a', 'b', 'part')
  expect(await fileThread.write(at('a', 'b', 'file'), part, bytes)).toEqual({ isSame: false, sizeBefore: undefined })
  expect(readdirSync(at('a', 'b'))).toEqual(['file'])
  const found = await fileThread.read(at('a', 'b', 'file'), 100)
  expect([Buffer.from(found?.bytes ?? []).toString(), found?.sha256]).toEqual(['abc', sha256('abc')])
  // What the caller gave is still the caller's.
  expect(bytes.toString()).toBe('abc')
})

test('leaves a file that has these bytes, and puts another one in its place', async () => {
  writeFileSync(at('file'), 'abc')
  chmodSync(at('file'), 0o640)
  expect(await write('file', 'abc')).toEqual({ isSame: true, sizeBefore: 3 })
  expect(await write('file', 'xyz')).toEqual({ isSame: false, sizeBefore: 3 })
  expect(await write('file', 'longer')).toEqual({ isSame: false, sizeBefore: 3 })
  expect([readFileSync(at('file'), 'utf8'), existsSync(at('part'))]).toEqual(['longer', false])
})

test('waits for nobody who would write into a pipe', async () => {
  execFileSync('mkfifo', [at('pipe')])
  expect(await fileThread.read(at('pipe'), 4)).toMatchObject({ bytes: { length: 0 } })
})

test('reads no more than it may, nothing of what is not there, and follows no link', async () => {
  writeFileSync(at('file'), 'abcdef')
  symlinkSync(at('file'), at('link'))
  const found = await fileThread.read(at('file'), 4)
  expect([Buffer.from(found?.bytes ?? []).toString(), found?.sha256]).toEqual(['abcd', sha256('abcd')])
  expect(await fileThread.read(at('missing'), 4)).toBeUndefined()
  await expect(fileThread.read(at('link'), 4)).rejects.toMatchObject({ code: 'ELOOP' })
})

test('gives the errors of the system with their codes, leaves nothing behind, and goes on', async () => {
  mkdirSync(at('file', 'in it'), { recursive: true })
  await expect(write('file', 'abc')).rejects.toMatchObject({ code: 'EISDIR', message: expect.stringContaining('file') })
  writeFileSync(at('no folder'), '')
  await expect(fileThread.write(at('no folder', 'x'), at('no folder', 'p'), Buffer.of())).rejects.toMatchObject({
    code: 'ENOTDIR'
  })
  expect(existsSync(at('part'))).toBe(false)
  expect(await write('next', 'abc')).toMatchObject({ isSame: false })
})

test('holds no process that has nothing else to do, and does what it was asked for before the end', async () => {
  const program = new URL('../../../dist/src/runtime/files/file-thread.js', import.meta.url).href
  const source = `const { fileThread } = await import('${program}')
    await fileThread.write(${JSON.stringify(at('first'))}, ${JSON.stringify(at('part'))}, Buffer.from('1'))
    await new Promise((resolve) => setTimeout(resolve, 50))
    await fileThread.write(${JSON.stringify(at('second'))}, ${JSON.stringify(at('part'))}, Buffer.from('2'))`
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source])
  expect(readdirSync(folder.path)).toEqual(['first', 'second'])
})
