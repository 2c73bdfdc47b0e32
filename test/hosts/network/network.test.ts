import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { PeersView, StatusView } from '../../../src/node/api/control-api.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'
import { startNameServer } from '../name-server.ts'

const domain = 'example.test'
const program = resolve('dist/bin/trustnet.js')
const nodes = ['a', 'b', 'c']

// A story: each test goes on where the one before it ended.
describeUnless(whyNoNamespaces())('hosts on an IPv6-only network with a real name server', { shuffle: false }, () => {
  let network: HostNetwork
  let networkId = ''

  const home = (host: string) => ({ TRUSTNET_HOME: join(network.host(host).folder, 'home') })
  const cli = (host: string, ...args: string[]) => network.run(host, [process.execPath, program, ...args], home(host))
  const serve = (host: string, ...args: string[]) =>
    network.start(host, host, [process.execPath, program, ...args], home(host))
  const startNode = (name: string) =>
    serve(name, 'node', 'start', '--name', name, '--domain', domain, '--network', networkId)

  const peers = (host: string): PeersView | undefined => json(host, 'peers', '--json', '--all')
  const status = (host: string): StatusView | undefined => json(host, 'status', '--json')
  const json = (host: string, ...args: string[]) => {
    try {
      return JSON.parse(cli(host, ...args))
    } catch {
      // Not up yet: the caller asks again until its deadline.
      return undefined
    }
  }
  const states = (host: string) =>
    Object.fromEntries((peers(host)?.peers ?? []).map(({ name, state }) => [name, state]))

  beforeAll(async () => {
    if (!existsSync(program)) throw new Error('dist is missing: npm run build')
    network = new HostNetwork(['dns', 'root', ...nodes])
    network.useNameServer(network.host('dns').address)
    await startNameServer(network, 'dns', domain, [`tnr IN AAAA ${network.host('root').address}`])
    const made = JSON.parse(
      cli('root', 'init', '--name', 'root', '--domain', domain, '--policy', 'open', '--new-network', '--json')
    ) as { networkId: string }
    networkId = made.networkId
    serve('root', 'registry', 'start')
    await until(() => status('root')?.membership.state === 'member')
  })

  afterAll(() => network?.[Symbol.dispose]())

  it('lets three nodes join through tnr and see each other', async () => {
    for (const name of nodes) startNode(name)
    const all = { root: 'online', a: 'online', b: 'online', c: 'online' }
    for (const name of ['root', ...nodes]) await until(() => equal(states(name), all))
    const row = peers('a')?.peers.find(({ name }) => name === 'b')
    expect(row?.addresses).toEqual([`/ip6/${network.host('b').address}/tcp/9000/p2p/${row?.peerId}`])
    expect(status('a')?.dns.state).toBe('found')
  })

  it('has no IPv4 socket on any host', () => {
    for (const name of ['root', ...nodes]) {
      expect(network.run(name, ['cat', '/proc/net/tcp']).trim().split('\n')).toHaveLength(1)
    }
  })

  it('sees a killed node and says why', async () => {
    const [pid] = network.run('c', ['pgrep', '-f', 'node start --name c']).trim().split('\n')
    process.kill(Number(pid), 'SIGKILL')
    await until(() => states('a')['c'] === 'suspect' && states('root')['c'] === 'suspect')
    const row = peers('a')?.peers.find(({ name }) => name === 'c')
    expect(row?.reason).toMatch(/session ended without a goodbye|stream|lost/)
    startNode('c')
    await until(() => states('a')['c'] === 'online')
  })

  it('sees a node that leaves as left', async () => {
    cli('b', 'leave')
    await until(() => states('a')['b'] === 'left' && states('c')['b'] === 'left')
    startNode('b')
    await until(() => states('a')['b'] === 'online')
  })

  it('lets a restarted node come back without DNS and without the root', async () => {
    await until(() => (status('a')?.phase.number ?? 0) >= 2)
    network.cable('dns', 'down')
    network.cable('root', 'down')
    const [pid] = network.run('a', ['pgrep', '-f', 'node start --name a']).trim().split('\n')
    process.kill(Number(pid), 'SIGTERM')
    // Its registry is out of reach, so nobody is told; it ends in its time all the same.
    await until(() => !alive(Number(pid)))
    startNode('a')
    await until(() => states('a')['b'] === 'online' && states('a')['c'] === 'online')
    await until(() => states('b')['a'] === 'online')
    expect(['b', 'c']).toContain(status('a')?.registry.lease?.name)
    network.cable('root', 'up')
    network.cable('dns', 'up')
    await until(() => states('a')['root'] === 'online')
  })
})

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const equal = (a: object, b: object): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
const sorted = (value: object) => Object.entries(value).toSorted(([a], [b]) => a.localeCompare(b))

async function until(condition: () => boolean, ms = ceilingMs): Promise<void> {
  const deadline = performance.now() + ms
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${condition.toString()}`)
    await new Promise((done) => setTimeout(done, 100))
  }
}
