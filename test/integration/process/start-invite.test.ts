import { chmodSync, chownSync, existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { controlClient } from '../../../src/node/api/client.ts'
import type { ControlApi } from '../../../src/node/api/control-api.ts'
import { type Running, runProgram, startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { tempFolder } from '../../helpers/temp.ts'

const folders = { root: tempFolder(), env: tempFolder(), file: tempFolder() }
type Machine = keyof typeof folders
const running: Running[] = []

const envOf = (machine: Machine): Record<string, string> => ({
  TRUSTNET_HOME: folders[machine].path,
  TRUSTNET_ANNOUNCE_ALLOW: 'loopback',
  TRUSTNET_LISTEN_PORT: '0'
})
const client = (machine: Machine, name: string): ControlApi =>
  controlClient({ path: join(folders[machine].path, 'run', `${name}.sock`) })
const start = (machine: Machine, argv: string[], more: Record<string, string> = {}): void => {
  running.push(startProgram(argv, { ...envOf(machine), ...more }))
}
const invite = async (name: string): Promise<string> => {
  const { out } = await runProgram(['invite', '--name', name], envOf('root'))
  return out.trim()
}
const member = (machine: Machine, name: string): Promise<void> =>
  vi.waitFor(async () => expect((await client(machine, name).status()).membership.state).toBe('member'), {
    timeout: ceilingMs,
    interval: 100
  })

describe('node start with an invite in the environment, and nothing else', () => {
  beforeAll(async () => {
    const init = ['init', '--name', 'root', '--domain', 'example.test', '--new-network', '--json']
    expect((await runProgram(init, envOf('root'))).code).toBe(0)
    start('root', ['registry', 'start'])
    await member('root', 'root')
  })

  afterAll(async () => {
    for (const { process } of running) process.kill('SIGTERM')
    await Promise.all(running.map(({ ended }) => ended))
    for (const folder of Object.values(folders)) folder[Symbol.dispose]()
  })

  it('TRUSTNET_INVITE brings domain, network, name and role, and is no obstacle to the next start', async () => {
    const env = { TRUSTNET_INVITE: await invite('hal') }
    start('env', ['node', 'start'], env)
    await member('env', 'hal')
    const status = await client('env', 'hal').status()
    expect([status.self.name, status.self.role, status.network?.domain]).toEqual(['hal', 'integrated', 'example.test'])
    const first = running.at(-1)
    first?.process.kill('SIGTERM')
    expect((await first?.ended)?.code).toBe(0)
    start('env', ['node', 'start'], env)
    await member('env', 'hal')
  })

  it('the file of TRUSTNET_INVITE_FILE is used up, and named by the environment it is no obstacle either', async () => {
    const file = join(folders.file.path, 'invite')
    writeFileSync(file, await invite('eve'), { mode: 0o600 })
    const env = { TRUSTNET_INVITE_FILE: file }
    start('file', ['node', 'start', '--name', 'eve'], env)
    await member('file', 'eve')
    await vi.waitFor(() => expect(existsSync(file)).toBe(false), { timeout: ceilingMs })
    running.at(-1)?.process.kill('SIGTERM')
    await running.at(-1)?.ended
    start('file', ['node', 'start', '--name', 'eve'], env)
    await vi.waitFor(async () => expect((await client('file', 'eve').status()).word).not.toBe('starting'), {
      timeout: ceilingMs
    })
  })

  it('what is no invite is refused without being shown', async () => {
    const { code, err } = await runProgram(['node', 'start'], { ...envOf('env'), TRUSTNET_INVITE: 'tnet1nonsense' })
    expect(code).toBe(2)
    expect(err).toMatch(/The invite of the environment: /)
    expect(err).not.toContain('nonsense')
  })
})

it('root is told the PeerId of a key that belongs to the user of the service', async () => {
  if (process.getuid?.() !== 0) return
  using folder = tempFolder()
  const env = { TRUSTNET_HOME: folder.path }
  const init = ['init', '--name', 'root', '--domain', 'example.test', '--new-network', '--json']
  expect((await runProgram(init, env)).code).toBe(0)
  const identity = async () => {
    const { code, err, out } = await runProgram(['identity', '--json'], env)
    return { code, err, view: { ...JSON.parse(out), generatedAt: null } }
  }
  const own = await identity()
  const data = join(folder.path, 'data/root')
  for (const path of [folder.path, join(folder.path, 'data'), data, join(data, 'node.key')])
    chownSync(path, 65_534, 65_534)
  expect(await identity()).toEqual(own)
  expect(own.code).toBe(0)
  expect(statSync(join(data, 'node.key')).mode & 0o777).toBe(0o600)
})

it('a passphrase that others can read is refused, an invite that others can read is warned of', async () => {
  using folder = tempFolder()
  const file = join(folder.path, 'secret')
  writeFileSync(file, 'a passphrase of some length\n')
  chmodSync(file, 0o644)
  const env = { TRUSTNET_HOME: folder.path }
  const init = ['init', '--name', 'root', '--domain', 'example.test', '--new-network']
  const refused = await runProgram(init, { ...env, TRUSTNET_RECOVERY_PASSPHRASE_FILE: file })
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining(`others can read it: chmod 600 ${file}`) })
  writeFileSync(file, 'tnet1nonsense\n')
  const { err } = await runProgram(['join', file], env)
  expect(err).toMatch(/warning: others can read .*secret, and an invite lets in whoever uses it first/)
})
