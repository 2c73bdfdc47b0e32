import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startControlServer } from '../../../src/node/control/server.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { handlesSignals, programPath, runProgram, startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { readAll } from '../../helpers/hosts/forward-members.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

const run = promisify(execFile)
const sshd = '/usr/sbin/sshd'

let network: TestNetwork
let service: Server
const controls: AsyncDisposable[] = []

/** A node with a control socket, as a process of its own has one. */
const withControl = async (name: string): Promise<void> => {
  const node = await network.join(name)
  const path = join(network.folder, 'run', `${name}.sock`)
  const forwards = { parts: node.forwards, most: node.config.protocols.forward.commands }
  controls.push(await startControlServer({ path, api: node.control, logger: silentLogger, forwards }))
}

const env = (): Record<string, string> => ({ TRUSTNET_HOME: network.folder })
const port = (server: Server): number => (server.address() as AddressInfo).port

beforeAll(async () => {
  network = await TestNetwork.create()
  service = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  }).listen(0, '::1')
  await withControl('a')
  await withControl('b')
  const { state } = network.node('a').registry.replica
  await eventually(() => state.memberByName('b') !== undefined)
})
afterAll(async () => {
  service.close()
  await Promise.all(controls.map((control) => control[Symbol.asyncDispose]()))
  await network[Symbol.asyncDispose]()
})

describe('trustnet expose', () => {
  test('exposes a service, lists it, and takes it back; what is none is refused in words', async () => {
    const at = ['--node', 'b']
    const to = `[::1]:${port(service)}`
    expect(await runProgram(['expose', 'echo', '--to', to, ...at], env())).toMatchObject({
      code: 0,
      out: expect.stringContaining(`echo (${to})`)
    })
    await runProgram(['expose', 'gone', '--to', 'unix:/run/gone.sock', ...at], env())
    const listed = await runProgram(['expose', '--json', ...at], env())
    expect(JSON.parse(listed.out)).toMatchObject({
      exposed: [
        { name: 'echo', to },
        { name: 'gone', to: 'unix:/run/gone.sock' }
      ],
      live: []
    })
    expect(await runProgram(['expose', 'gone', '--remove', ...at], env())).toMatchObject({ code: 0 })
    expect(await runProgram(['expose', 'gone', '--remove', ...at], env())).toMatchObject({ code: 4 })
    expect(await runProgram(['expose', 'web', ...at], env())).toMatchObject({
      code: 2,
      err: expect.stringContaining('--to [::1]:PORT')
    })
    expect(await runProgram(['expose', 'web', '--to', '[2001:db8::1]:80', ...at], env())).toMatchObject({ code: 2 })
  })
})

describe('trustnet forward', () => {
  test('prints the address at which it listens, and ends with the command', async () => {
    const program = startProgram(['forward', 'b/echo', '--node', 'a'], env())
    await vi.waitFor(() => expect(program.soFar()).toMatch(/^\[::1\]:\d+\n$/), { timeout: ceilingMs, interval: 20 })
    const at = Number(/\]:(\d+)/.exec(program.soFar())?.[1])
    const socket = connect({ host: '::1', port: at, allowHalfOpen: true })
    socket.end('through both')
    expect((await readAll(socket)).toString()).toBe('through both')
    program.process.kill('SIGTERM')
    expect(await program.ended).toMatchObject({ code: 0 })
    await eventually(() => network.node('a').forwards.listeners.length === 0)
    const late = connect({ host: '::1', port: at })
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNREFUSED')
  })

  test('is standard input and output with -', async () => {
    const program = startProgram(['forward', 'b/echo', '-', '--node', 'a'], env(), { stdin: 'pipe' })
    program.process.stdin?.end('in and out')
    expect(await program.ended).toMatchObject({ code: 0, out: 'in and out' })
    expect(network.node('b').forwards.live.list()).toEqual([])
  })

  test('that is cut off in the middle says so: no end that looks like all of it', async () => {
    const half = createServer(
      { allowHalfOpen: true },
      (socket) => void socket.on('error', () => {}).write('half of it')
    ).listen(0, '::1')
    await once(half, 'listening')
    network.node('b').forwards.expose('half', `[::1]:${port(half)}`)
    const program = startProgram(['forward', 'b/half', '-', '--node', 'a'], env())
    await eventually(() => program.soFar() === 'half of it')
    network.node('b').forwards.unexpose('half')
    expect(await program.ended).toMatchObject({ code: 7, out: 'half of it', err: expect.stringContaining('cut off') })
    half.close()
  })

  test('says in words what is refused, with the exit code of it', async () => {
    const call = async (...argv: string[]) => await runProgram(['forward', ...argv, '-', '--node', 'a'], env())
    expect(await call('nobody/echo')).toMatchObject({ code: 4, err: expect.stringContaining('no member is called') })
    expect(await call('b/other')).toMatchObject({ code: 4, err: expect.stringContaining('not exposed') })
    expect(await call('b')).toMatchObject({ code: 2, err: expect.stringContaining('MEMBER/SERVICE') })
    expect(await call('--any', 'none')).toMatchObject({ code: 4 })
  })

  test('listens for no member that nobody could call', async () => {
    const listen = async (called: string) => await runProgram(['forward', called, '--node', 'a'], env())
    expect(await listen('nobody/echo')).toMatchObject({ code: 4, err: expect.stringContaining('no member is called') })
    expect(await listen('a/echo')).toMatchObject({ code: 2, err: expect.stringContaining('is this node itself') })
  })

  test('goes on without a reader or on a full disk, and a signal ends it with 0', async () => {
    const argv = ['forward', 'b/echo', '--node', 'a']
    const outputs = [openSync('/dev/null', 'w'), ...(existsSync('/dev/full') ? [openSync('/dev/full', 'w')] : [])]
    for (const stdout of outputs) {
      const program = startProgram(argv, env(), { stdout })
      await handlesSignals(program.process.pid)
      await eventually(() => network.node('a').forwards.listeners.length === 1)
      program.process.kill('SIGINT')
      expect(await program.ended).toMatchObject({ code: 0 })
      await eventually(() => network.node('a').forwards.listeners.length === 0)
      closeSync(stdout)
    }
  })

  test.runIf(existsSync(sshd) && userInfo().uid === 0)('is the way of ssh to a real sshd', async () => {
    const folder = join(network.folder, 'ssh')
    mkdirSync(folder, { mode: 0o700 })
    mkdirSync('/run/sshd', { recursive: true })
    const [host, user] = [join(folder, 'host'), join(folder, 'user')]
    for (const file of [host, user]) await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file])
    chmodSync(user, 0o600)
    const free = createServer().listen(0, '::1')
    await once(free, 'listening')
    const at = port(free)
    free.close()
    const set = {
      ListenAddress: `[::1]:${at}`,
      HostKey: host,
      AuthorizedKeysFile: `${user}.pub`,
      PidFile: 'none',
      UsePAM: 'no',
      StrictModes: 'no',
      PermitRootLogin: 'yes'
    }
    const options = Object.entries(set).flatMap(([key, value]) => ['-o', `${key}=${value}`])
    const daemon = spawn(sshd, ['-D', '-e', '-f', '/dev/null', ...options], { stdio: 'ignore' })
    try {
      network.node('b').forwards.expose('ssh', `[::1]:${at}`)
      const proxy = `${process.execPath} ${programPath} forward --node a %h/ssh -`
      const flags = {
        ProxyCommand: proxy,
        StrictHostKeyChecking: 'no',
        UserKnownHostsFile: '/dev/null',
        BatchMode: 'yes'
      }
      const argv = [
        ...Object.entries(flags).flatMap(([key, value]) => ['-o', `${key}=${value}`]),
        '-F',
        'none',
        '-i',
        user
      ]
      const ssh = async () =>
        await run(
          'ssh',
          [...argv, `${userInfo().username}@b`, 'echo over trustnet; head -c 3000000 /dev/zero | wc -c'],
          {
            env: { ...process.env, ...env() }
          }
        )
      let out = ''
      await eventually(async () => {
        try {
          out = (await ssh()).stdout
          return true
        } catch {
          return false
        }
      })
      expect(out).toBe('over trustnet\n3000000\n')
    } finally {
      daemon.kill()
    }
  })
})
