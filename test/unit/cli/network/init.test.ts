import { existsSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadConfig } from '../../../../src/node/config/index.ts'
import { readRecoveryKit } from '../../../../src/node/offline/recovery-kit.ts'
import { ControlHome, runCli } from '../../../helpers/control-process.ts'
import { expectSchema } from '../../../helpers/schemas.ts'

let home: ControlHome
beforeEach(async () => {
  home = await ControlHome.create()
})
afterEach(() => home[Symbol.asyncDispose]())

const init = (...argv: string[]) =>
  runCli(['init', '--domain', 'example.test', '--name', 'root', '--new-network', ...argv], { home: home.folder })

describe('init', () => {
  test('makes keys, store, recovery kit and a configuration that pins the network', async () => {
    const { code, out } = await init('--policy', 'approve', '--membership', '30d', '--json')
    expect(code).toBe(0)
    const made: Record<string, string> = JSON.parse(out)
    expectSchema('init', made)
    const { config } = loadConfig({ env: { TRUSTNET_HOME: home.folder }, name: 'root' })
    expect(config).toMatchObject({
      role: 'root',
      domain: 'example.test',
      networkId: made['networkId'],
      admission: { policy: 'approve', membershipMs: 30 * 86_400_000 }
    })
    for (const file of ['node.key', 'log.key', 'recovery.kit', 'next-recovery.kit']) {
      expect((await stat(join(config.paths.data, file))).mode & 0o777).toBe(0o600)
    }
    expect(await readFile(join(home.folder, 'root.yaml'), 'utf8')).not.toContain(made['passphrase'])
  })

  test('makes nothing where its configuration cannot be written, and names that file alone', async () => {
    const { code, err } = await init('--config', '/proc/root.yaml')
    expect(code).toBe(2)
    expect(err).toMatch(/^error: \/proc\/root\.yaml cannot be opened/)
    expect(existsSync(join(home.folder, 'data'))).toBe(false)
  })

  test('makes the file of --config that is not there yet, with a domain of other letters as it is from then on', async () => {
    const file = join(home.folder, 'new.yaml')
    const argv = ['init', '--domain', 'Bücher.Example.', '--name', 'root', '--new-network', '--config', file]
    const { code, out } = await runCli(argv, { home: home.folder })
    expect(code).toBe(0)
    expect(out).toContain('Network made: xn--bcher-kva.example')
    expect(out).toContain(`trustnet registry start --config ${file}`)
    const { config } = loadConfig({ env: { TRUSTNET_HOME: home.folder }, file })
    expect(config).toMatchObject({ name: 'root', role: 'root', domain: 'xn--bcher-kva.example' })
    expect(out).toContain(config.networkId ?? 'no network id')
    expect(existsSync(join(home.folder, 'root.yaml'))).toBe(false)
  })

  test('shows the fingerprint, where the recovery kit is, and the next commands', async () => {
    const { out } = await init()
    expect(out).toMatch(/Fingerprint {4}tn /)
    expect(out).toContain(join(home.folder, 'data', 'root', 'recovery.kit'))
    expect(out).toContain(`trustnet registry start --config ${join(home.folder, 'root.yaml')}`)
  })

  test('takes the passphrase of the kit from a file that the environment names, and then shows none', async () => {
    const file = join(home.folder, 'passphrase')
    await writeFile(file, 'correct horse battery staple\n', { mode: 0o600 })
    const env = { TRUSTNET_RECOVERY_PASSPHRASE_FILE: file }
    const argv = ['init', '--domain', 'example.test', '--name', 'root', '--new-network', '--json']
    const short = await runCli(argv, { home: home.folder, env: { TRUSTNET_RECOVERY_PASSPHRASE: 'short' } })
    expect(short).toMatchObject({ code: 2, out: '' })
    const { out } = await runCli(argv, { home: home.folder, env })
    const made: Record<string, string> = JSON.parse(out)
    expect(made).not.toHaveProperty('passphrase')
    expectSchema('init', made)
    const { config } = loadConfig({ env: { TRUSTNET_HOME: home.folder }, name: 'root' })
    const kit = readRecoveryKit(join(config.paths.data, 'recovery.kit'), 'correct horse battery staple')
    expect(kit.authority?.publicKey).toHaveLength(32)
    expect(kit.nextAuthority).toBeUndefined()
    const next = readRecoveryKit(join(config.paths.data, 'next-recovery.kit'), 'correct horse battery staple')
    expect([next.authority, next.nextAuthority?.publicKey.length]).toEqual([undefined, 32])
  })

  test('a second network in the same place is refused and the first one left alone', async () => {
    await init()
    const before = await readFile(join(home.folder, 'root.yaml'), 'utf8')
    const second = await init('--policy', 'open')
    expect(second.code).toBe(2)
    expect(second.err).toContain('holds a network already')
    expect(await readFile(join(home.folder, 'root.yaml'), 'utf8')).toBe(before)
  })

  test('without a domain it says how to give one, and makes nothing', async () => {
    const { code, err } = await runCli(['init', '--name', 'root'], { home: home.folder })
    expect(code).toBe(2)
    expect(err).toContain('--domain')
    expect(existsSync(join(home.folder, 'data'))).toBe(false)
  })

  test('identity reads the key file while nothing runs', async () => {
    await init()
    const { code, out, err } = await runCli(['identity', '--json'], { home: home.folder })
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ name: 'root', role: 'root', running: false })
    expectSchema('identity-stopped', JSON.parse(out))
    expect(err).toContain('Nothing runs here')
  })
})
