import { execFile, spawn } from 'node:child_process'
import { closeSync, cpSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { conductOf } from '../../src/cli/output/conduct.ts'
import { controlClient } from '../../src/node/api/client.ts'
import { readRecoveryKit } from '../../src/node/offline/recovery-kit.ts'
import { programPath, runProgram, startProgram } from '../helpers/built-program.ts'
import { ceilingMs } from '../helpers/ceiling.ts'
import { callsElsewhere, commandCalls, stoppedCalls } from '../helpers/command-calls.ts'
import { commandTree } from '../helpers/command-tree.ts'
import { ControlHome, ScriptedApi } from '../helpers/control-process.ts'
import { exampleInvite } from '../helpers/example-invite.ts'
import { type StoppedRoot, stoppedEnv, stoppedRoot } from '../helpers/stopped-root.ts'
import { tempFolder } from '../helpers/temp.ts'

let home: ControlHome
beforeAll(async () => {
  home = await ControlHome.create()
  await home.serve('hal', new ScriptedApi())
})
afterAll(() => home[Symbol.asyncDispose]())

const env = (): Record<string, string> => ({ TRUSTNET_HOME: home.folder })

const toFullDisk = async (argv: readonly string[], more: Record<string, string> = env()) => {
  const full = openSync('/dev/full', 'w')
  try {
    return await runProgram(argv, more, { stdout: full })
  } finally {
    closeSync(full)
  }
}

/** A pipe whose reader is gone already. */
const toNobody = async (argv: readonly string[], more: Record<string, string> = env()) => {
  const child = spawn(
    'bash',
    ['-c', 'exec 3> >(exec true); wait $!; exec "$@" >&3 3>&-', 'bash', process.execPath, programPath, ...argv],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...more }
    }
  )
  let err = ''
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, err }
}

test('every command is called here, or is named as one that is tested elsewhere', async () => {
  const acting = (await commandTree()).filter(({ acts }) => acts).map(({ words }) => words.join(' '))
  expect([...commandCalls.keys(), ...stoppedCalls.keys(), ...callsElsewhere].toSorted()).toEqual(acting.toSorted())
})

describe.each([...commandCalls])('%s', (command, args) => {
  const argv = [...command.split(' '), ...args]

  test.runIf(existsSync('/dev/full'))('on a full disk: exit code 1, and it says so', async () => {
    const { code, err } = await toFullDisk(argv)
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/could not be written/) })
  })

  test('without a reader it is as its conduct says', async () => {
    const { code, err } = await toNobody(argv)
    if (conductOf(command) === 'prints') expect({ code, err }).toMatchObject({ code: 0 })
    else if (command === 'invite') expect({ code, err }).toMatchObject({ code: 1 })
    else expect({ code, err }).toMatchObject({ code: 0 })
    expect(err).not.toMatch(/EPIPE|^ +at /m)
  })
})

describe('on a machine whose root is stopped', () => {
  let made: StoppedRoot
  beforeAll(async () => {
    made = await stoppedRoot()
    const backup = ['registry', 'backup', '--to', join(made.path, 'copy.db')]
    expect(await runProgram(backup, stoppedEnv(made.path))).toMatchObject({ code: 0 })
    writeFileSync(join(made.path, 'invite'), `${exampleInvite()}\n`, { mode: 0o600 })
  })
  afterAll(() => made[Symbol.dispose]())

  /** Each call has a copy, which it may change. */
  const called = async (to: typeof toNobody, command: string, args: readonly string[]) => {
    using copy = tempFolder()
    cpSync(made.path, copy.path, { recursive: true })
    rmSync(join(copy.path, 'run'), { recursive: true, force: true })
    const argv = [...command.split(' '), ...args.map((word) => word.replace('FOLDER', copy.path))]
    const ended = await to(argv, stoppedEnv(copy.path))
    const { out } = await runProgram(['registry', 'verify', '--json', '--name', 'root'], stoppedEnv(copy.path))
    const { head }: { head: { epoch: number } } = JSON.parse(out)
    return { ...ended, epoch: head.epoch }
  }
  const epochs = new Map([
    ['registry promote', 1],
    ['registry recover', 1]
  ])

  describe.each([...stoppedCalls])('%s', (command, args) => {
    test.runIf(existsSync('/dev/full'))('on a full disk comes to its end, says so, and gives 1', async () => {
      const { code, err, epoch } = await called(toFullDisk, command, args)
      expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/could not be written/) })
      expect(epoch).toBe(epochs.get(command) ?? 0)
    })

    test('without a reader comes to its end', async () => {
      const { code, err, epoch } = await called(toNobody, command, args)
      expect({ code, err }).toEqual({ code: 0, err: expect.not.stringMatching(/EPIPE|^ +at /m) })
      expect(epoch).toBe(epochs.get(command) ?? 0)
    })
  })
})

test('a reader that comes late gets everything, also what is longer than a pipe holds', async () => {
  const api = new ScriptedApi()
  const [row] = api.peersAnswer.peers
  if (row === undefined) throw new Error('no row')
  api.peersAnswer = {
    ...api.peersAnswer,
    peers: Array.from({ length: 3000 }, (_, n) => ({ ...row, name: `node-${n}` }))
  }
  await using many = await ControlHome.create()
  await many.serve('hal', api)
  const command = '"$0" "$1" peers --json | (sleep 1; cat)'
  const { stdout: out } = await promisify(execFile)('bash', ['-c', command, process.execPath, programPath], {
    env: { PATH: process.env['PATH'], TRUSTNET_HOME: many.folder },
    maxBuffer: 2 ** 26
  })
  expect(out.length).toBeGreaterThan(200_000)
  expect(JSON.parse(out)).toMatchObject({ peers: { length: 3000 } })
})

const initArgv = ['init', '--domain', 'example.test', '--name', 'root', '--new-network']

test.runIf(existsSync('/dev/full')).each([['disk'], ['reader']])(
  'init without a %s keeps the passphrase that it could not show, and says where',
  async (missing) => {
    using folder = tempFolder()
    const where = { TRUSTNET_HOME: folder.path }
    const data = join(folder.path, 'data', 'root')
    const { code, err } = await (missing === 'disk' ? toFullDisk : toNobody)([...initArgv, '--json'], where)
    expect(code).toBe(1)
    const file = join(data, 'recovery.passphrase')
    expect(err).toContain(file)
    const passphrase = readFileSync(file, 'utf8').trim()
    expect(readRecoveryKit(join(data, 'recovery.kit'), passphrase).networkId).toMatch(/^tn/)
    const again = await runProgram(initArgv, where)
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining(file) })
  }
)

test('a passphrase that was shown is kept nowhere', async () => {
  using folder = tempFolder()
  const { code } = await runProgram(initArgv, { TRUSTNET_HOME: folder.path })
  expect(code).toBe(0)
  expect(existsSync(join(folder.path, 'data', 'root', 'recovery.passphrase'))).toBe(false)
})

test('a registry goes on without a reader of its log, says so in its status, and stops as one that has one', async () => {
  using folder = tempFolder()
  const where = {
    TRUSTNET_HOME: folder.path,
    TRUSTNET_ANNOUNCE_ALLOW: 'loopback',
    TRUSTNET_LISTEN_PORT: '0'
  }
  expect((await runProgram(initArgv, where)).code).toBe(0)
  const program = startProgram(['registry', 'start'], where)
  program.process.stdout?.destroy()
  const client = controlClient({ path: join(folder.path, 'run', 'root.sock') })
  await vi.waitFor(
    async () => {
      const { warnings } = await client.status()
      expect(warnings.map(({ code }) => code)).toContain('log_lost')
    },
    { timeout: ceilingMs, interval: 100 }
  )
  expect(program.process.exitCode).toBeNull()
  program.process.kill('SIGTERM')
  expect(await program.ended).toMatchObject({ code: 0 })
})
