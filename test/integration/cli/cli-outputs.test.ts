import { execFile } from 'node:child_process'
import { closeSync, cpSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { conductOf } from '../../../src/cli/output/conduct.ts'
import { readRecoveryKit } from '../../../src/node/offline/recovery-kit.ts'
import { verifyStore } from '../../../src/registry/backup/verify-store.ts'
import { programPath, runProgram, toFullDisk, toNobody } from '../../helpers/built-program.ts'
import { callsElsewhere, commandCalls, stoppedCalls } from '../../helpers/commands/command-calls.ts'
import { commandTree } from '../../helpers/commands/command-tree.ts'
import { ControlHome, ScriptedApi } from '../../helpers/control-process.ts'
import { type StoppedRoot, stoppedEnv, stoppedRoot } from '../../helpers/faults/stopped-root.ts'
import { exampleInvite } from '../../helpers/registry/example-invite.ts'
import { tempFolder } from '../../helpers/temp.ts'

let home: ControlHome
beforeAll(async () => {
  home = await ControlHome.create()
  await home.serve('hal', new ScriptedApi())
})
afterAll(() => home[Symbol.asyncDispose]())

const env = (): Record<string, string> => ({
  TRUSTNET_HOME: home.folder,
  EDITOR: "sed -i 's/^invite-uses: .*/invite-uses: 7/'"
})

const withJson = new Set(
  (await commandTree())
    .filter(({ command }) => command.options.some(({ long }) => long === '--json'))
    .map(({ words }) => words.join(' '))
)

/** The line for programs stands at the end of stderr. */
const expectJsonLast = (err: string): void =>
  expect(JSON.parse(err.trimEnd().split('\n').at(-1) ?? '')).toEqual({
    schema: 1,
    generatedAt: expect.any(String),
    view: null,
    error: { code: 'FAILED', message: expect.stringMatching(/could not be written/) }
  })

test('every command is called here, or is named as one that is tested elsewhere', async () => {
  const acting = (await commandTree()).filter(({ acts }) => acts).map(({ words }) => words.join(' '))
  const named = [...commandCalls.keys(), ...stoppedCalls.keys(), ...callsElsewhere.keys()]
  expect(named.toSorted()).toEqual(acting.toSorted())
})

test.each([...callsElsewhere])('%s is asked the same by tests that are there', (command, tests) => {
  const words = command.split(' ').map((word) => `'${word}'`)
  for (const { file, title } of tests) {
    const text = readFileSync(join('test', file), 'utf8')
    expect(text).toContain(words.join(', '))
    expect(text).toContain(`'${title}',`)
  }
  expect(new Set(tests.flatMap(({ asks }) => asks))).toEqual(new Set(['reader', 'disk', 'signal']))
})

describe.each([...commandCalls])('%s', (command, args) => {
  const argv = [...command.split(' '), ...args]

  test.runIf(existsSync('/dev/full'))('on a full disk: exit code 1, and it says so', async () => {
    const json = withJson.has(command) && !argv.includes('--json') ? ['--json'] : []
    const { code, err } = await toFullDisk([...argv, ...json], env())
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/could not be written/) })
    if (withJson.has(command)) expectJsonLast(err)
  })

  test('without a reader it is as its conduct says', async () => {
    const { code, err } = await toNobody(argv, env())
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
    const { epoch } = await verifyStore(join(copy.path, 'data/root/registry.db'))
    return { ...ended, epoch }
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
    if (missing === 'disk') expectJsonLast(err)
    const file = join(data, 'recovery.passphrase')
    expect(err).toContain(file)
    const passphrase = readFileSync(file, 'utf8').trim()
    expect(readRecoveryKit(join(data, 'recovery.kit'), passphrase).networkId).toMatch(/^tn/)
    const again = await runProgram(initArgv, where)
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining(file) })
  }
)

test('a passphrase that a file keeps is kept nowhere else', async () => {
  using folder = tempFolder()
  const shown = openSync(join(folder.path, 'shown'), 'w', 0o600)
  const { code } = await runProgram(initArgv, { TRUSTNET_HOME: folder.path }, { stdout: shown })
  closeSync(shown)
  expect(code).toBe(0)
  expect(readFileSync(join(folder.path, 'shown'), 'utf8')).toMatch(/Passphrase +([0-9a-f]{4}-){7}[0-9a-f]{4}/)
  expect(existsSync(join(folder.path, 'data', 'root', 'recovery.passphrase'))).toBe(false)
})

test.each(['head -1', 'head -c 0', 'sleep 0', 'cat'])(
  'init | %s: the passphrase is also in a file that is named, and opens the kit',
  async (reader) => {
    using folder = tempFolder()
    const script = `"$@" | ${reader} >/dev/null; exit "\${PIPESTATUS[0]}"`
    const command = ['-c', script, 'bash', process.execPath, programPath, ...initArgv]
    const around = { ...process.env, TRUSTNET_HOME: folder.path }
    const ended = await promisify(execFile)('bash', command, { env: around }).catch(
      (error: { stderr: string }) => error
    )
    const file = join(folder.path, 'data', 'root', 'recovery.passphrase')
    expect(ended.stderr).toContain(file)
    const kit = join(folder.path, 'data', 'root', 'recovery.kit')
    expect(readRecoveryKit(kit, readFileSync(file, 'utf8').trim()).networkId).toMatch(/^tn/)
  }
)

test.each(['>/dev/null', '>&-'])('init %s keeps the passphrase that is shown once, and says where', async (output) => {
  using folder = tempFolder()
  const around = { ...process.env, TRUSTNET_HOME: folder.path }
  const script = `"$@" ${output}; echo "code $?" >&2`
  const command = [process.execPath, programPath, 'init', '--domain', 'example.org', '--name', 'r', '--new-network']
  const { stderr } = await promisify(execFile)('sh', ['-c', script, 'sh', ...command], { env: around })
  expect(stderr).toContain('code 1')
  const file = join(folder.path, 'data/r/recovery.passphrase')
  expect(stderr).toContain(file)
  expect(readFileSync(file, 'utf8')).toMatch(/^([0-9a-f]{4}-){7}[0-9a-f]{4}$/m)
})

test.runIf(existsSync('/dev/full'))('an invite that could not be written is taken back', async () => {
  await using own = await ControlHome.create()
  const api = new ScriptedApi()
  const taken: string[] = []
  const cancel = api.cancelInvite
  api.cancelInvite = async (given) => {
    taken.push(given.id)
    return await cancel(given)
  }
  await own.serve('hal', api)
  const { code, err } = await toFullDisk(['invite'], { TRUSTNET_HOME: own.folder })
  expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('it was taken back') })
  expect(taken).toHaveLength(1)
  api.cancelInvite = async () => {
    throw new Error('no')
  }
  expect((await toFullDisk(['invite'], { TRUSTNET_HOME: own.folder })).err).toContain('it ends by itself at')
})
