import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RegistryStatusView } from '../../../src/node/api/registry-views.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { expectSchema } from '../../helpers/schemas.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'
import { startNameServer } from '../name-server.ts'

const program = resolve('dist/bin/trustnet.js')
const domain = 'example.test'

interface Seen {
  fits: boolean
  edit: { add: string[]; remove: string[] }
  published: string[]
}

describeUnless(whyNoNamespaces())('dns check --watch beside a registry that dies and comes back', () => {
  let network: HostNetwork
  let second: ChildProcess

  const env = (host: string): Record<string, string> => ({
    TRUSTNET_HOME: network.host(host).folder,
    TRUSTNET_HEARTBEAT_INTERVAL: '1s',
    TRUSTNET_HEARTBEAT_TIMEOUT: '500ms'
  })
  const cli = (host: string, ...args: string[]): string =>
    network.run(host, [process.execPath, program, ...args], env(host))
  const start = (host: string, label: string, ...args: string[]): ChildProcess =>
    network.start(host, label, [process.execPath, program, ...args], env(host))
  const address = (host: string): string => network.host(host).address
  const zone = (...edit: string[]): void => {
    const socket = join(network.host('dns').folder, 'knot.sock')
    for (const command of [['zone-begin', domain], edit, ['zone-commit', domain]])
      network.run('dns', ['knotc', '-s', socket, ...command])
  }
  const seen = (): Seen[] =>
    network
      .log('root', 'watch')
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line): Seen => JSON.parse(line))
  /** The newest line says so. */
  const says = async (wanted: (view: Seen) => boolean, ms = ceilingMs): Promise<void> =>
    await eventually(
      () => seen().slice(-1).some(wanted),
      ms,
      () => network.log('root', 'watch')
    )

  beforeAll(async () => {
    if (!existsSync(program)) throw new Error('dist is missing: npm run build')
    network = new HostNetwork(['dns', 'root', 'second'])
    network.useNameServer(address('dns'))
    await startNameServer(network, 'dns', domain, [
      `tnr 30 IN AAAA ${address('root')}`,
      `tnr 30 IN AAAA ${address('second')}`
    ])
    cli('root', 'init', '--name', 'root', '--domain', domain, '--new-network')
    start('root', 'registry', 'registry', 'start')
    await eventually(() => existsSync(join(network.host('root').folder, 'run/root.sock')))
    const invite = cli('root', 'invite', '--role', 'secondary', '--name', 'second').trim()
    cli('second', 'join', invite, '--no-start')
    second = start('second', 'registry', 'registry', 'start')
    await eventually(() => {
      const view: RegistryStatusView = JSON.parse(cli('root', 'registry', 'status', '--json'))
      return view.registries.some(({ name, state }) => name === 'second' && state === 'online')
    })
    start('root', 'watch', 'dns', 'check', '--watch', '--every', '1s', '--json')
  })

  afterAll(() => network?.[Symbol.dispose]())

  it('says once that all fits, and nothing as long as it stays so', async () => {
    await says(({ fits }) => fits)
    expectSchema('dns-check', seen()[0])
    expect(seen()).toHaveLength(1)
  })

  it('names the address to take out when the registry is gone, and keeps quiet about it when it is back', async () => {
    second.kill('SIGKILL')
    await says(({ edit }) => edit.remove.includes(address('second')) && edit.add.length === 0)
    expect(seen().at(-1)?.fits).toBe(false)
    second = start('second', 'registry', 'registry', 'start')
    await says(({ fits, published }) => fits && published.length === 2)
  })

  it('names the address to add when the record loses one that is alive', async () => {
    zone('zone-unset', domain, 'tnr', 'AAAA', address('second'))
    await says(({ edit }) => edit.add.includes(address('second')) && edit.remove.length === 0)
    zone('zone-set', domain, 'tnr', '30', 'AAAA', address('second'))
    await says(({ fits }) => fits)
  })
})
