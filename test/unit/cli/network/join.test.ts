import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { peerIdText } from '../../../../src/identity/keys.ts'
import { networkIdText } from '../../../../src/identity/network-id.ts'
import { loadConfig } from '../../../../src/node/config/index.ts'
import { encodeInvite, type InviteGrant } from '../../../../src/registry/objects/invite.ts'
import { ControlHome, runCli, ScriptedApi } from '../../../helpers/control-process.ts'
import { expectSchema } from '../../../helpers/schemas.ts'
import { aGrant, keyOf, networkId, otherNetworkId } from '../../../helpers/signed-objects.ts'

const inviteLine = (changes: Partial<InviteGrant> = {}, network = networkId): string => {
  const place = { epoch: 0, n: 3, hash: new Uint8Array(32) }
  const grant = { id: aGrant.id, role: aGrant.role, notAfterMs: Date.now() + 3_600_000, ...place, ...changes }
  return encodeInvite({
    domain: 'example.org',
    networkId: network,
    registries: [{ publicKey: keyOf(5).publicKey, addrs: ['/ip6/2001:db8::1/tcp/8000'] }],
    grant,
    inviteKey: keyOf(7)
  })
}

let home: ControlHome
beforeEach(async () => {
  home = await ControlHome.create()
})
afterEach(() => home[Symbol.asyncDispose]())

const prepare = (argv: string[], init: Partial<Parameters<typeof runCli>[1]> = {}) =>
  runCli(['join', ...argv, '--no-start'], { home: home.folder, ...init })

const inviteFile = (name: string): string => join(home.folder, 'data', name, 'invite')

describe('join', () => {
  test('writes what the invite says and keeps the invite where nobody else reads it', async () => {
    const line = inviteLine()
    const { code, out } = await prepare([line, '--name', 'hal'])
    expect(code).toBe(0)
    expect(out).toBe(`Start it with: trustnet node start --config ${join(home.folder, 'hal.yaml')}\n`)
    const { config } = loadConfig({ env: { TRUSTNET_HOME: home.folder }, name: 'hal' })
    expect(config).toMatchObject({
      name: 'hal',
      role: 'integrated',
      domain: 'example.org',
      networkId: networkIdText(networkId),
      network: { pins: [peerIdText(keyOf(5).publicKey)] },
      bootstrap: { inviteFile: inviteFile('hal') }
    })
    expect(await readFile(inviteFile('hal'), 'utf8')).toBe(`${line}\n`)
    expect((await stat(inviteFile('hal'))).mode & 0o777).toBe(0o600)
    expect(await readFile(join(home.folder, 'hal.yaml'), 'utf8')).not.toContain(line)
  })

  test('writes what the command line says for every later start', async () => {
    const argv = ['--name', 'hal', '--peer', '/ip6/2001:db8::7/tcp/8000', '--log-level', 'debug', '--port', '9123']
    const sets = ['heartbeat.interval=10s', 'announce.addresses=/ip6/2001:db8::9/tcp/9123', 'backup.path=copies']
    await prepare([inviteLine(), ...argv, ...sets.flatMap((set) => ['--set', set])])
    const { config } = loadConfig({ env: { TRUSTNET_HOME: home.folder }, name: 'hal' })
    expect(config).toMatchObject({
      listen: { port: 9123 },
      bootstrap: { peers: ['/ip6/2001:db8::7/tcp/8000'], inviteFile: inviteFile('hal') },
      logging: { level: 'debug' },
      heartbeat: { intervalMs: 10_000 },
      announce: { addresses: ['/ip6/2001:db8::9/tcp/9123'] },
      backup: { path: resolve('copies') }
    })
  })

  test('as JSON it says what is prepared and how it is started', async () => {
    const { out } = await prepare([inviteLine(), '--name', 'hal', '--json'])
    expectSchema('join-prepared', JSON.parse(out))
  })

  test('takes role and name from the grant', async () => {
    const { out } = await prepare([inviteLine({ role: 'secondary', name: 'tnr-2' })])
    expect(out).toContain('trustnet registry start')
    expect(loadConfig({ env: { TRUSTNET_HOME: home.folder }, name: 'tnr-2' }).config.role).toBe('secondary')
  })

  test('from stdin, broken by a mail; from a file; from the environment: nothing secret in the command line', async () => {
    const line = inviteLine()
    const file = join(home.folder, 'line.txt')
    await writeFile(file, `${line}\n`)
    const ways: [string[], object][] = [
      [['-'], { stdin: `${line.slice(0, 70)}\n  ${line.slice(70)}\n` }],
      [[file], {}],
      [[], { env: { TRUSTNET_INVITE: line } }],
      [[], { env: { TRUSTNET_INVITE_FILE: file } }]
    ]
    for (const [at, [argv, init]] of ways.entries()) {
      const name = `node-${at}`
      expect(await prepare([...argv, '--name', name], init)).toMatchObject({ code: 0 })
      expect(await readFile(inviteFile(name), 'utf8')).toBe(`${line}\n`)
    }
  })

  test('without an invite, or with half of one, it says what to do and writes nothing', async () => {
    const none = await prepare(['--name', 'hal'])
    expect(none).toMatchObject({ code: 2, out: '' })
    expect(none.err).toContain('trustnet invite')
    const half = await prepare([inviteLine().slice(0, -20), '--name', 'hal'])
    expect(half.code).toBe(2)
    expect(half.err).toContain('copy the whole line')
    await expect(stat(join(home.folder, 'hal.yaml'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('what is neither a line nor a file is told as such, and a name that the invite does not give is refused', async () => {
    const missing = await prepare(['./invite.txt', '--name', 'hal'])
    expect(missing).toMatchObject({ code: 2, out: '' })
    expect(missing.err).toContain("'./invite.txt' is neither an invite line")
    const other = await prepare([inviteLine({ name: 'tnr-2' }), '--name', 'hal'])
    expect(other.code).toBe(2)
    expect(other.err).toContain('for the name tnr-2')
    await expect(stat(join(home.folder, 'hal.yaml'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('an invite that is late by this clock is a warning: the registry decides', async () => {
    const late = await prepare([inviteLine({ notAfterMs: 1_700_000_000_000 }), '--name', 'hal'])
    expect(late.code).toBe(0)
    expect(late.err).toContain('2023-11-14')
  })

  test('a configuration of another network is left alone', async () => {
    await prepare([inviteLine(), '--name', 'hal'])
    const before = await readFile(join(home.folder, 'hal.yaml'), 'utf8')
    const other = await prepare([inviteLine({}, otherNetworkId), '--name', 'hal'])
    expect(other.code).toBe(6)
    expect(other.err).toContain('another network')
    expect(await readFile(join(home.folder, 'hal.yaml'), 'utf8')).toBe(before)
  })

  test('what is in the configuration already stays', async () => {
    const file = join(home.folder, 'hal.yaml')
    await mkdir(home.folder, { recursive: true })
    await writeFile(file, '# mine\nname: hal\nlisten:\n  port: 9123 # why\n')
    await prepare([inviteLine(), '--name', 'hal'])
    const text = await readFile(file, 'utf8')
    expect(text).toContain('# mine')
    expect(text).toContain('port: 9123 # why')
  })

  test('a running process that was not admitted yet gets the invite over its socket', async () => {
    const api = new ScriptedApi()
    await home.serve('hal', api)
    const line = inviteLine()
    expect(await prepare([line, '--name', 'hal'])).toMatchObject({ code: 0, out: 'admitted: in\n' })
    expect(api.joined).toEqual([line])
    await expect(stat(inviteFile('hal'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('what a running process cannot take is named, each option that was given', async () => {
    await home.serve('hal', new ScriptedApi())
    expect(await prepare([inviteLine(), '--name', 'hal'])).toMatchObject({ code: 0, err: '' })
    const peer = '/ip6/2001:db8::7/tcp/8000'
    const starts = ['--peer', peer, '--log-level', 'debug', '--set', 'heartbeat.interval=10s', '--port', '9123']
    const { code, out, err } = await prepare([inviteLine(), '--name', 'hal', ...starts])
    expect({ code, out }).toEqual({ code: 0, out: 'admitted: in\n' })
    expect(err).toMatch(/^Not used: --port, --peer, --log-level, --set\. hal runs already.*hal\.yaml.*\n$/)
  })
})
