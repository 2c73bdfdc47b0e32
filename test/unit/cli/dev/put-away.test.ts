import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { putAway } from '../../../../src/cli/dev/put-away.ts'
import type { Context } from '../../../../src/cli/output/context.ts'
import { Terminal } from '../../../../src/cli/output/terminal.ts'
import { tempFolder } from '../../../helpers/temp.ts'

let temporary: ReturnType<typeof tempFolder>
let folder: string
let asked: string[]
let told: string

beforeEach(() => {
  temporary = tempFolder()
  folder = join(temporary.path, 'network')
  mkdirSync(folder)
  asked = []
  told = ''
})
afterEach(() => temporary[Symbol.dispose]())

const contextOf = (isTTY: boolean, signal = new AbortController().signal): Context => ({
  terminal: new Terminal({
    stdout: { isTTY, write: () => true },
    stderr: { isTTY, write: (text: string) => (told += text) },
    stdin: Object.assign(Readable.from([]), { isTTY }),
    env: {},
    redact: (text) => text
  }),
  signal,
  exit() {},
  conduct() {},
  onHangup() {}
})

/** Who answers so, and is seen to be asked. */
const answering = (keep: boolean) => async () => ({
  confirm: async (message: string) => {
    asked.push(message)
    return keep
  }
})

const failed = { isOwn: true, clean: false }

test.each([true, false])('asks before it leaves something behind, and does as it is told: keep %j', async (keep) => {
  await putAway(contextOf(true), folder, failed, answering(keep))
  expect(asked).toEqual([`It failed. Keep state and logs in ${folder}?`])
  expect(existsSync(folder)).toBe(keep)
  expect(told.includes(folder)).toBe(keep)
})

test('asks nobody where it did not fail, where a signal ended it, and where the folder was given', async () => {
  await putAway(contextOf(true), folder, { isOwn: false, clean: false }, answering(false))
  expect(existsSync(folder)).toBe(true)
  await putAway(contextOf(true), folder, { isOwn: true, clean: true }, answering(true))
  expect(existsSync(folder)).toBe(false)
  mkdirSync(folder)
  await putAway(contextOf(true, AbortSignal.abort()), folder, failed, answering(true))
  expect([existsSync(folder), asked]).toEqual([false, []])
})

test('without a terminal nobody can be asked: it stays, and says where', async () => {
  await putAway(contextOf(false), folder, failed, answering(false))
  expect([existsSync(folder), asked, told.includes(folder)]).toEqual([true, [], true])
})
