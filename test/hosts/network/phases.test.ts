import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Phase, StatusView } from '../../../src/node/api/control-api.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { HostMembers } from '../host-members.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'
import { startNameServer } from '../name-server.ts'

const domain = 'example.test'
const limitMs = 90_000

// A story: each test goes on where the one before it ended.
describeUnless(whyNoNamespaces())('phases and resilience while a network grows', { shuffle: false }, () => {
  let network: HostNetwork
  let members: HostMembers

  /** Resolves when the node is in that phase, and misses exactly that for the next one. */
  const phase = async (name: string, wanted: Phase, missing: string[]): Promise<number> =>
    await members.status([name], limitMs, ({ phase: shown }) => {
      return shown.name === wanted && shown.missing.join() === missing.join()
    })
  const resilience = async (name: string): Promise<StatusView['resilience']> =>
    (await members.client(name).status()).resilience
  const restart = async (name: string): Promise<void> => {
    await members.end(name, 'SIGKILL')
    members.node(name)
  }
  const holds = async (name: string, registries: readonly string[]): Promise<number> =>
    await members.status([name], limitMs, ({ registry: { lease } }) => registries.includes(String(lease?.name)))
  const isAlone = async (name: string): Promise<number> =>
    await members.status([name], limitMs, ({ word, registry }) => word === 'isolated' && registry.lease === null)
  const online = async (names: readonly string[]): Promise<number> =>
    await members.peers(names, limitMs, (rows) => names.every((name) => rows.get(name)?.state === 'online'))

  const survives = { survives: true, needs: null }
  const needs = (what: string) => ({ survives: false, needs: what })

  beforeAll(async () => {
    network = new HostNetwork(['dns', 'root', 's1', 's2', 'n1', 'n2', 'n3', 'x1'])
    members = new HostMembers(network, domain)
    network.useNameServer(network.host('dns').address)
    await startNameServer(network, 'dns', domain, [`tnr IN AAAA ${network.host('root').address}`])
    members.found()
  })

  afterAll(() => network?.[Symbol.dispose]())

  it('0: looks for its network while nobody answers', async () => {
    members.node('n1')
    await phase('n1', 'bootstrap', ['admission to the network', 'a session with a registry'])
    const first = needs('admission to the network')
    expect(await resilience('n1')).toEqual({ root: first, dns: needs('an invite or a known address'), both: first })
  })

  it('1: is a member of a root alone, and lost without it, as it says', async () => {
    members.registry('root')
    await phase('n1', 'trusted', ['1 more connected source'])
    const wanted = { root: needs('1 more cached peer'), dns: survives, both: needs('2 more cached peers') }
    expect(await resilience('n1')).toEqual(wanted)
    // DNS goes: a restart needs none, as it says.
    network.cable('dns', 'down')
    await restart('n1')
    await phase('n1', 'trusted', ['1 more connected source'])
    network.cable('dns', 'up')
    // The root goes: nothing is left to restart with.
    await members.end('root', 'SIGKILL')
    await restart('n1')
    await isAlone('n1')
    await phase('n1', 'bootstrap', ['a session with a registry'])
    members.registry('root')
    await phase('n1', 'trusted', ['1 more connected source'])
  })

  it('2: has a secondary, and can lose the root, but not the secondary as well, as it says', async () => {
    await members.join('s1', 'secondary')
    await phase('n1', 'federated', ['1 more cached peer'])
    const wanted = { root: survives, dns: survives, both: needs('1 more cached peer') }
    expect(await resilience('n1')).toEqual(wanted)
    await members.end('root', 'SIGKILL')
    await restart('n1')
    await holds('n1', ['s1'])
    network.cable('dns', 'down')
    await members.end('s1', 'SIGKILL')
    await restart('n1')
    await isAlone('n1')
    network.cable('dns', 'up')
    for (const name of ['root', 's1']) members.registry(name)
    await phase('n1', 'federated', ['1 more cached peer'])
  })

  it('3: can lose root and DNS, as it says', async () => {
    await members.join('s2', 'secondary')
    for (const name of ['n2', 'n3']) members.node(name)
    for (const name of members.names) await phase(name, 'autonomous', [])
    for (const name of members.names) {
      expect(await resilience(name)).toEqual({ root: survives, dns: survives, both: survives })
    }
    await online(members.names)
    // From now on an invite names them, too.
    await members.status(['root'], limitMs, ({ registry }) => registry.known >= 2)
  })

  it('goes on without root and DNS: members stay, come back and are found, who is new waits', async () => {
    const { line } = await members.client('root').invite({ role: 'integrated', name: 'x1' })
    const rest = members.names.filter((name) => name !== 'root')
    network.cable('dns', 'down')
    await members.end('root', 'SIGKILL')
    await members.peers(rest, limitMs, (rows) =>
      ['suspect', 'offline', 'unknown'].includes(rows.get('root')?.state ?? '')
    )
    for (const name of rest) await holds(name, rest)
    await online(rest)
    const { rows } = await members.client('n1').lookup({ peer: 'n2', remote: true })
    expect(rows[0]?.addresses).toEqual([`/ip6/${network.host('n2').address}/tcp/9000/p2p/${rows[0]?.peerId}`])

    await restart('n2')
    await online(rest)

    members.start('x1', 'join', line)
    await members.status(['x1'], limitMs, ({ membership }) => membership.state === 'pending')

    // One of the two more cached peers that were asked for may be down as well.
    await members.end('s1', 'SIGKILL')
    await restart('n1')
    await online(rest.filter((name) => name !== 's1'))
  })

  it('is whole again when they are back, and who waited is in', async () => {
    network.cable('dns', 'up')
    for (const name of ['root', 's1']) members.registry(name)
    await members.status(['x1'], limitMs, ({ membership }) => membership.state === 'member')
    expect(members.names).toHaveLength(7)
    await online(members.names)
    for (const name of members.names) await phase(name, 'autonomous', [])
  })
})
