import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCli } from '../../helpers/control-process.ts'
import { type StoppedRoot, stoppedEnv, stoppedRoot } from '../../helpers/faults/stopped-root.ts'

let made: StoppedRoot
beforeAll(async () => {
  made = await stoppedRoot()
})
afterAll(() => made[Symbol.dispose]())

const run = (...argv: string[]) => {
  const words = argv.map((word) => word.replace('DATA', join(made.path, 'data', 'root')).replace('FOLDER', made.path))
  return runCli(words, { home: made.path, env: stoppedEnv(made.path) })
}

const config = ['--config', 'FOLDER/root.yaml']

test.each([
  ['authority rotate', ['authority', 'rotate', '--kit', 'DATA/next-recovery.kit', '--to', 'FOLDER/new.kit']],
  ['dns set', ['dns', 'set', '--plan', '--add', 'fd00::2', '--ask', '::1']],
  ['identity', ['identity']],
  ['registry backup', ['registry', 'backup', '--to', 'FOLDER/copy.db']]
])('%s does without the process, also where a configuration names it', async (_, argv) => {
  const { code, err } = await run(...argv, ...config)
  expect({ code, err }).toMatchObject({ code: 0, err: expect.not.stringContaining('error:') })
})

test.each([
  ['DATA/none.kit', 'it is not there'],
  ['DATA', 'a file is due'],
  ['FOLDER/root.yaml', 'is no recovery kit'],
  ['DATA/recovery.kit', 'holds the authority of today'],
  ['DATA/next-recovery.kit', 'is the kit that is used now']
])('the plan with the kit %s is none', async (kit, why) => {
  const { code, err } = await run('authority', 'rotate', '--kit', kit, ...config)
  expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(why) })
})
