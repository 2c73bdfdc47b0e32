import { type ChildProcess, execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { controlClient } from '../../../src/node/api/client.ts'
import { type Ran, runProgram, startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { TestNetwork } from '../../helpers/network.ts'

let home: string
let env: Record<string, string>
const data = () => join(home, 'data', 'root')

/** A home with a root that was not started yet. */
const made = async (): Promise<{ home: string; env: Record<string, string> }> => {
  const folder = mkdtempSync(join(tmpdir(), 'tn-refused-'))
  const own = { TRUSTNET_HOME: folder, TRUSTNET_ANNOUNCE_ALLOW: 'loopback', TRUSTNET_LISTEN_PORT: '0' }
  const init = ['init', '--name', 'root', '--domain', 'example.test', '--policy', 'open', '--new-network', '--json']
  expect((await runProgram(init, own)).code).toBe(0)
  return { home: folder, env: own }
}

beforeEach(async () => {
  ;({ home, env } = await made())
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const start = (more: Record<string, string> = {}) => runProgram(['registry', 'start'], { ...env, ...more })

/** A port that somebody listens on. */
async function taken(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen({ host: '::', port: 0, ipv6Only: true }, resolve))
  const address = server.address()
  return { server, port: typeof address === 'object' ? (address?.port ?? 0) : 0 }
}

/** What never returns takes no signal but this one. */
const givenUp = async (child: ChildProcess): Promise<Ran> => {
  await new Promise((resolve) => setTimeout(resolve, ceilingMs).unref())
  child.kill('SIGKILL')
  return { code: null, out: '', err: 'it did not end' }
}

describe('a registry does not start, says why and what to do, and changes nothing', () => {
  let holder: Awaited<ReturnType<typeof taken>>
  let waiting: { home: string; ended: Promise<Ran> }

  // It waits for 30 s, beside the others.
  beforeAll(async () => {
    holder = await taken()
    const own = await made()
    const { ended } = startProgram(['registry', 'start'], { ...own.env, TRUSTNET_LISTEN_PORT: String(holder.port) })
    waiting = { home: own.home, ended }
  })
  afterAll(async () => {
    await waiting?.ended
    holder?.server.close()
    if (waiting !== undefined) rmSync(waiting.home, { recursive: true, force: true })
  })

  it('on a data folder that a running one uses, which goes on', async () => {
    const first = startProgram(['registry', 'start'], env)
    const client = controlClient({ path: join(home, 'run', 'root.sock') })
    const status = () => client.status()
    await vi.waitFor(status, { timeout: ceilingMs, interval: 50 })
    const { code, err } = await start()
    expect(code).toBe(2)
    expect(err).toMatch(/used by process \d+: stop that one first/)
    expect((await status()).membership.state).toBe('member')
    first.process.kill('SIGTERM')
    expect((await first.ended).code).toBe(0)
    const database = new Database(join(data(), 'registry.db'))
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
    database.close()
  })

  it('with an invite in a file that is not there', async () => {
    const file = join(home, 'no-invite')
    const argv = ['node', 'start', '--name', 'other', '--set', `bootstrap.inviteFile=${file}`]
    const { code, err } = await runProgram(argv, env)
    expect({ code, err }).toMatchObject({
      code: 2,
      err: expect.stringContaining(`${file}, which bootstrap.inviteFile`)
    })
  })

  it('on a database of a newer version', async () => {
    const path = join(data(), 'registry.db')
    const bump = new Database(path)
    bump.pragma('user_version = 99')
    bump.close()
    const before = readFileSync(path)
    const { code, err } = await start()
    expect(code).toBe(2)
    expect(err).toContain('has schema 99, this program knows')
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  it('with a key that others may read, or that is none', async () => {
    const path = join(data(), 'node.key')
    const key = readFileSync(path)
    chmodSync(path, 0o644)
    expect(await start()).toMatchObject({ code: 2, err: expect.stringContaining('has mode 0644') })
    chmodSync(path, 0o600)
    writeFileSync(path, 'nothing')
    expect(await start()).toMatchObject({ code: 2, err: expect.stringContaining('holds no Ed25519 key') })
    expect(readFileSync(path, 'utf8')).toBe('nothing')
    expect(key).toHaveLength(68)
  })

  it('with a key in its configuration that there is not', async () => {
    writeFileSync(join(home, 'root.yaml'), `${readFileSync(join(home, 'root.yaml'), 'utf8')}listne:\n  port: 1\n`)
    expect(await start()).toMatchObject({
      code: 2,
      err: expect.stringMatching(/root\.yaml:\d+:1: listne: .*did you mean listen/)
    })
  })

  it('with a pin of another network', async () => {
    const other = 'tnlqlbaccxsqnzklja4iq32alqqkwg2if7jshgdwpgdref7n4purfa'
    expect(await start({ TRUSTNET_NETWORK_ID: other })).toMatchObject({
      code: 2,
      err: expect.stringMatching(/holds the network tn.*but the pin says tnlqlb.*nothing was changed/)
    })
  })

  it('on folders that cannot be made, below /proc', async () => {
    const keys = { TRUSTNET_PATHS_DATA: 'node', TRUSTNET_PATHS_KEY: 'node', TRUSTNET_PATHS_RUNTIME: 'registry' }
    for (const [key, of] of Object.entries(keys)) {
      const running = startProgram([of, 'start', '--name', of === 'node' ? 'new' : 'root'], {
        ...env,
        [key]: '/proc/none/new'
      })
      const { code, err } = await Promise.race([running.ended, givenUp(running.process)])
      expect([key, code, err]).toEqual([key, expect.any(Number), expect.stringContaining('/proc/none')])
    }
  })

  it('on a port that is taken, after 30 s of waiting for its holder to go', async () => {
    const { code, err } = await waiting.ended
    expect(code).toBe(2)
    expect(err).toContain(`port ${holder.port} is taken by`)
    expect(err).toContain(`pid ${process.pid}`)
  })
})

describe('a first start that is refused leaves nothing behind, and says why before anything else', () => {
  const node = ['node', 'start', '--name', 'new', '--domain', 'example.test']
  it.each<[string, string[], Record<string, string>, RegExp]>([
    ['where nothing says which network', node, {}, /nothing says which network/],
    [
      'with an invite file that is not there',
      [...node, '--set', 'bootstrap.inviteFile=/none'],
      {},
      /bootstrap\.inviteFile/
    ],
    ['as a root without a network', ['node', 'start', '--name', 'new', '--role', 'root'], {}, /has no network yet/],
    [
      'without a folder for its socket',
      [...node, '--trust-on-first-use'],
      { TRUSTNET_PATHS_RUNTIME: '/proc/none' },
      /\/proc\/none/
    ]
  ])('%s', async (_, argv, more, why) => {
    const { code, out, err } = await runProgram(argv, { ...env, ...more })
    expect({ code, out, err }).toEqual({ code: expect.toBeOneOf([1, 2]), out: '', err: expect.stringMatching(why) })
    expect(existsSync(join(home, 'data', 'new', 'node.key'))).toBe(false)
  })

  it.runIf(process.getuid?.() === 0).each([16, 128])('init on a disk of %i KiB', async (kib) => {
    const disk = join(home, 'disk')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', disk])
    try {
      const init = ['init', '--name', 'root', '--domain', 'example.test', '--new-network', '--data', join(disk, 'data')]
      const { code, err } = await runProgram(init, { TRUSTNET_HOME: join(home, 'other') })
      expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/no space left .*make room/) })
      expect(readdirSync(join(disk, 'data'))).toEqual([])
    } finally {
      execFileSync('umount', ['-l', disk])
    }
  })
})

describe('a node whose port is taken', () => {
  it('takes the next free one, says so and registers that', async () => {
    const { server, port } = await taken()
    await using network = await TestNetwork.create()
    const node = await network.join('a', { 'listen.port': port })
    expect(node.attached.port).toBeGreaterThan(port)
    expect(network.logs.join('')).toContain(`port ${port} is taken by`)
    const record = network.node('root').registry.records.read(node.key.publicKey)
    expect(record?.addrs).toEqual([`/ip6/::1/tcp/${node.attached.port}`])
    server.close()
  })
})

describe('a machine that has nodes already, under a new host name', () => {
  it('starts none more, and names those that are there', async () => {
    for (const name of ['hal', 'eve']) {
      mkdirSync(join(home, 'data', name))
      writeFileSync(join(home, 'data', name, 'node.key'), 'a key')
    }
    rmSync(join(home, 'root.yaml'))
    const argv = ['node', 'start', '--domain', 'example.test', '--trust-on-first-use']
    const { code, out, err } = await runProgram(argv, env)
    expect({ code, out, err }).toEqual({
      code: 2,
      out: '',
      err: expect.stringMatching(/nodes eve, hal, root .*--name/)
    })
    expect(readdirSync(join(home, 'data')).toSorted()).toEqual(['eve', 'hal', 'root'])
  })
})
