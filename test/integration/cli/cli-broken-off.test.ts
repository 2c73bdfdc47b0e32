import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { removeAt } from '../../../src/install/machine/safe-files.ts'
import { verifyStore } from '../../../src/registry/backup/verify-store.ts'
import { runProgram } from '../../helpers/built-program.ts'
import { type Change, changesOf, signalledAt } from '../../helpers/faults/at-a-change.ts'
import { type StoppedRoot, stoppedEnv, stoppedRoot } from '../../helpers/faults/stopped-root.ts'
import { exampleInvite } from '../../helpers/registry/example-invite.ts'
import { tempFolder } from '../../helpers/temp.ts'

/** Each command is killed at more of its changes. */
const isLong = process.env['ATTACKS_LONG'] === 'true'

/** Commands that change the folder of a stopped root, `FOLDER`. */
const commands: ReadonlyMap<string, readonly string[]> = new Map([
  ['registry backup', ['--node', 'root', '--to', 'FOLDER/another.db']],
  ['registry restore', ['FOLDER/copy.db', '--name', 'root']],
  ['registry promote', ['--name', 'root', '--yes']],
  ['registry recover', ['--name', 'root', '--backup', 'FOLDER/copy.db', '--yes']],
  [
    'authority rotate',
    ['--name', 'root', '--kit', 'FOLDER/data/root/next-recovery.kit', '--to', 'FOLDER/after.kit', '--yes']
  ],
  ['config migrate', ['FOLDER/old.yaml']],
  ['join', ['FOLDER/invite', '--name', 'hal', '--no-start']],
  ['init', ['--domain', 'example.test', '--name', 'other', '--new-network']]
])

/** What a command says that finds its work done, or the remains of one that was killed. */
const doneBefore: ReadonlyMap<string, RegExp> = new Map([
  ['registry backup', /another\.db is there already: choose another file/],
  ['authority rotate', /holds the authority of today.*nothing is left to do/],
  ['init', /holds a network already|of an earlier network or of a try that was broken off: move it away first/]
])

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

let made: StoppedRoot
beforeAll(async () => {
  made = await stoppedRoot()
  const backup = ['registry', 'backup', '--to', join(made.path, 'copy.db')]
  expect(await runProgram(backup, stoppedEnv(made.path))).toMatchObject({ code: 0 })
  writeFileSync(join(made.path, 'old.yaml'), 'gossip: { batch: 5 }\n')
  writeFileSync(join(made.path, 'invite'), `${exampleInvite()}\n`, { mode: 0o600 })
})
afterAll(() => made[Symbol.dispose]())

describe.each([...commands])('%s', (command, args) => {
  const inCopy = async <T>(work: (argv: string[], env: Record<string, string>, folder: string) => Promise<T>) => {
    using copy = tempFolder()
    cpSync(made.path, copy.path, { recursive: true })
    rmSync(join(copy.path, 'run'), { recursive: true, force: true })
    const argv = [...command.split(' '), ...args.map((word) => word.replace('FOLDER', copy.path))]
    return await work(argv, stoppedEnv(copy.path), copy.path)
  }
  let all: readonly Change[] = []
  beforeAll(async () => {
    all = await inCopy((argv, env, folder) => changesOf(argv, env, join(folder, 'trace')))
  })
  /** Moments spread over all changes of the command, the first and the last among them. */
  const spread = (moments: number): Change[] =>
    Array.from({ length: moments }, (_, k) => at(all, Math.round((k * (all.length - 1)) / (moments - 1))))
  /** What is there now is whole, and the same command goes on with it or says that it has been done. */
  const isSound = async (argv: string[], env: Record<string, string>, folder: string): Promise<void> => {
    const again = await runProgram(argv, env)
    const isDone = doneBefore.get(command)
    if (again.code !== 0) expect(again).toMatchObject({ code: 2, err: expect.stringMatching(isDone ?? /^$/) })
    expect(await verifyStore(join(folder, 'data/root/registry.db'))).toMatchObject({ domain: 'example.test' })
  }

  test('a signal at one of its changes: it comes to its end or says how things are, and all is sound', async () => {
    for (const [k, change] of spread(3).entries()) {
      const signal = signals[k % signals.length] ?? 'SIGINT'
      await inCopy(async (argv, env, folder) => {
        const { code, err } = await signalledAt(change, signal, argv, env)
        const seen = { ...change, signal, code, err }
        if (code !== 0) expect(seen).toMatchObject({ code: 128 + constants.signals[signal], err: says(signal) })
        expect(err).not.toMatch(/abort|^ +at /im)
        await isSound(argv, env, folder)
      })
    }
  })

  test('killed at one of its changes: all is sound', async () => {
    for (const change of spread(isLong ? 12 : 4)) {
      await inCopy(async (argv, env, folder) => {
        expect(await signalledAt(change, 'SIGKILL', argv, env)).toMatchObject({ code: null })
        await isSound(argv, env, folder)
      })
    }
  })
})

test('what a kill leaves beside a configuration goes with it when it is uninstalled', async () => {
  using folder = tempFolder()
  const file = join(folder.path, 'hal.yaml')
  writeFileSync(file, 'gossip: { batch: 5 }\n')
  await signalledAt({ call: 'rename', n: 1 }, 'SIGKILL', ['config', 'migrate', file], stoppedEnv(folder.path))
  expect(readdirSync(folder.path).filter((name) => name.endsWith('.tmp'))).toHaveLength(1)
  removeAt(file)
  expect(readdirSync(folder.path).filter((name) => !name.includes('.before-'))).toEqual([])
})

const says = (signal: string): unknown => expect.stringContaining(`Interrupted by ${signal}: `)

const at = (all: readonly Change[], index: number): Change => {
  const change = all[index]
  if (change === undefined) throw new Error('it changes nothing')
  return change
}
