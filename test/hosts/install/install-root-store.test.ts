import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RegistryStatusView, StatusView } from '../../../src/node/api/control-api.ts'
import { eventually } from '../../helpers/network.ts'
import { hasPostgres, PostgresServer } from '../../helpers/servers/postgres.ts'
import { FileRoot, whyNoFileRoots } from '../file-root.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'
import { SystemdHost, whyNoSystemd } from '../systemd-host.ts'

const reason =
  whyNoNamespaces() ?? whyNoFileRoots() ?? whyNoSystemd() ?? (hasPostgres ? undefined : 'needs PostgreSQL 15')
// In CI a machine that cannot do it is a failure; elsewhere it is said and skipped.
const skipped = reason !== undefined && process.env['CI'] !== 'true'
if (skipped) process.stderr.write(`test/hosts/install/install-root-store is skipped: ${reason}\n`)

const program = resolve('dist/bin/trustnet.js')
const passwordFile = '/etc/db.password'
const keyFile = '/root/log.key'

describe.skipIf(skipped)('two machines that take turns as the root, with a PostgreSQL on a third one', () => {
  let network: HostNetwork
  let database: PostgresServer
  let store: string[]
  const roots = new Map<string, FileRoot>()
  const hosts = new Map<string, SystemdHost>()

  const host = (name: string): SystemdHost => {
    const found = hosts.get(name)
    if (found === undefined) throw new Error(`${name} was not booted`)
    return found
  }
  const pathIn = (name: string, path: string): string => join(roots.get(name)?.path ?? '', path)
  const install = (name: string, ...flags: string[]): string =>
    host(name).run(process.execPath, program, 'install', '--yes', '--name', name, ...store, ...flags)
  const status = (name: string): StatusView => JSON.parse(host(name).run('trustnet', 'status', '--json'))
  const registry = (name: string): RegistryStatusView =>
    JSON.parse(host(name).run('trustnet', 'registry', 'status', '--json'))

  beforeAll(async () => {
    if (reason !== undefined) throw new Error(`CI must be able to do this: ${reason}`)
    network = new HostNetwork(['db', 'one', 'two'])
    network.useNameServer(network.host('db').address)
    database = await PostgresServer.start(network.host('db'))
    const certificate = await database.certify(`IP:${network.host('db').address}`)
    await database.down('fast')
    await database.up()
    for (const name of ['one', 'two']) {
      roots.set(name, new FileRoot())
      copyFileSync(certificate, pathIn(name, '/etc/db.crt'))
      writeFileSync(pathIn(name, passwordFile), `${PostgresServer.password}\n`, { mode: 0o600 })
      const { namespace } = network.host(name)
      const root = roots.get(name)
      if (root !== undefined) hosts.set(name, await SystemdHost.boot(namespace, root))
    }
    store = ['--root-store', `${database.url}?sslrootcert=/etc/db.crt`, '--root-store-password-file', passwordFile]
  })

  afterAll(async () => {
    for (const each of hosts.values()) await each[Symbol.asyncDispose]()
    for (const each of roots.values()) each[Symbol.dispose]()
    await database?.[Symbol.asyncDispose]()
    network?.[Symbol.dispose]()
  })

  it('the first one is there, and says with its exit code that the database is not', async () => {
    await database.down('fast')
    const words: unknown = expect.stringMatching(/is not of use yet: .*mend the database or the way to it/s)
    const failure: unknown = expect.objectContaining({ status: 7, message: words })
    expect(() => install('one', '--role', 'root', '--domain', 'example.test')).toThrow(failure)
    expect(host('one').run('systemctl', 'is-active', 'trustnet-one.service')).toBe('active\n')
    await database.up()
  })

  it('the first one makes the network, and has its log there', async () => {
    await eventually(() => registry('one').appends)
    install('one', '--role', 'root', '--domain', 'example.test')
    const { rootStore, log } = registry('one')
    expect(rootStore).toMatchObject({ held: true, holder: { name: 'one' }, head: log.head })
    expect(await database.sql('SELECT count(*) FROM trustnet_root')).toEqual([{ count: '1' }])
  })

  it('the second one asks for a copy of the log key before it changes anything', () => {
    const line = host('one').run('trustnet', 'invite', '--role', 'secondary').trim()
    writeFileSync(pathIn('two', '/root/invite'), line, { mode: 0o600 })
    expect(() => install('two', '--role', 'root', '--invite', '/root/invite')).toThrow(/--log-key is missing/)
    expect(() => host('two').run('stat', '/opt/trustnet')).toThrow(/No such file/)
  })

  it('the second one, installed by the same command with an invite and that key, is a candidate', async () => {
    copyFileSync(pathIn('one', '/var/lib/trustnet/one/log.key'), pathIn('two', keyFile))
    install('two', '--role', 'root', '--invite', '/root/invite', '--log-key', keyFile)
    expect(status('two').self.role).toBe('secondary')
    await eventually(() => registry('one').rootStore?.candidates.some(({ name }) => name === 'two') === true)
    const key = statSync(pathIn('two', '/var/lib/trustnet/two/log.key'))
    expect([key.mode & 0o777, key.uid]).toEqual([0o600, Number(host('two').run('id', '-u', 'trustnet-two'))])
  })

  it('the password is in no unit, no configuration, no journal and no command line', () => {
    const places = 'cat /etc/systemd/system/trustnet-* /etc/trustnet/* /var/lib/trustnet-install/* /proc/*/cmdline'
    for (const name of ['one', 'two']) {
      expect(host(name).run('sh', '-c', `${places} 2>/dev/null`)).not.toContain(PostgresServer.password)
      expect(readFileSync(pathIn(name, passwordFile), 'utf8')).toContain(PostgresServer.password)
    }
  })

  it('takes the place of the first one when that is stopped, and the first one comes back as a secondary', async () => {
    host('one').run('systemctl', 'stop', 'trustnet-one.service')
    await eventually(() => registry('two').appends)
    expect(registry('two').rootStore).toMatchObject({ held: true, holder: { name: 'two' } })
    host('one').run('systemctl', 'start', 'trustnet-one.service')
    await eventually(() => registry('one').rootStore?.holder?.name === 'two')
    // The word is degraded: this database has no standby.
    await eventually(() => status('one').registry.lease !== null)
  })

  it('a machine that is removed leaves the files of its operator', () => {
    host('two').run('trustnet', 'uninstall', '--yes', '--purge')
    host('two').run('stat', keyFile, passwordFile)
    expect(() => host('two').run('stat', '/var/lib/trustnet/two')).toThrow(/No such file/)
  })
})
