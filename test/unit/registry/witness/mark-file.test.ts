import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { type Mark, MarkFile } from '../../../../src/registry/witness/mark-file.ts'
import { StoreError } from '../../../../src/runtime/errors.ts'
import { tempFolder } from '../../../helpers/temp.ts'

let path: string
const mark: Mark = { epoch: 1, n: 42, headHash: new Uint8Array(32).fill(9) }

beforeEach(() => {
  const folder = tempFolder()
  path = join(folder.path, 'witness.mark')
  return () => folder[Symbol.dispose]()
})

it('keeps the last mark, and is none where nothing was signed', async () => {
  const file = new MarkFile(path)
  expect(await file.read()).toBeUndefined()
  await file.write({ ...mark, n: 41 })
  await file.write(mark)
  expect(await file.read()).toEqual(mark)
  expect(await new MarkFile(path).read()).toEqual(mark)
})

it('is for its owner alone, and leaves no half of a file beside it', async () => {
  await new MarkFile(path).write(mark)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(existsSync(`${path}.part`)).toBe(false)
})

it('goes by the file that is whole when a crash left a part of the next one', async () => {
  const file = new MarkFile(path)
  await file.write(mark)
  writeFileSync(`${path}.part`, '{"schema":1,"ep')
  expect(await file.read()).toEqual(mark)
  await file.write({ ...mark, n: 43 })
  expect(await file.read()).toMatchObject({ n: 43 })
})

it.each([
  ['nothing', ''],
  ['no JSON', '{"schema":1,"epoch":'],
  ['zeros, as a power cut may leave it', '\0'.repeat(100)],
  ['another schema', JSON.stringify({ schema: 2, epoch: 0, n: 1, headHash: '0'.repeat(64) })],
  ['a place below zero', JSON.stringify({ schema: 1, epoch: 0, n: -1, headHash: '0'.repeat(64) })],
  ['a place that is no whole number', JSON.stringify({ schema: 1, epoch: 0, n: 1.5, headHash: '0'.repeat(64) })],
  ['a hash that is too short', JSON.stringify({ schema: 1, epoch: 0, n: 1, headHash: '00' })],
  ['a hash in capitals', JSON.stringify({ schema: 1, epoch: 0, n: 1, headHash: 'A'.repeat(64) })],
  ['more than any mark has', ' '.repeat(5_000)]
])('is not taken for none when it has %s: nothing is signed until it can be read', async (_what, content) => {
  writeFileSync(path, content)
  await expect(new MarkFile(path).read()).rejects.toThrow(StoreError)
  await expect(new MarkFile(path).read()).rejects.toThrow(`${path} says what this witness has signed`)
  expect(readFileSync(path, 'utf8')).toBe(content)
})

it('is not taken for none when a folder stands in its place, and a write says so, too', async () => {
  mkdirSync(path)
  await expect(new MarkFile(path).read()).rejects.toThrow(StoreError)
  await expect(new MarkFile(path).write(mark)).rejects.toThrow('EISDIR')
})
