import { describe, expect, it } from 'vitest'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { HostMembers } from '../host-members.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'

const reason = whyNoNamespaces()
// In CI a machine that cannot do it is a failure; elsewhere it is said and skipped.
const skipped = reason !== undefined && process.env['CI'] !== 'true'

/** Hosts on one link with nothing but their link-local addresses from now on: no router, no name server, no address of before. */
const leaveLinkAlone = (network: HostNetwork, names: readonly string[]): void => {
  for (const name of names)
    network.run(name, ['ip', '-6', 'address', 'delete', `${network.host(name).address}/64`, 'dev', 'eth0'])
}

const made = async (link: 'on' | 'off'): Promise<{ network: HostNetwork; members: HostMembers }> => {
  const network = new HostNetwork(['root', 'one', 'two'])
  const members = new HostMembers(network, 'link.test', { TRUSTNET_LINK: link })
  members.found()
  members.registry('root')
  await members.status(['root'], ceilingMs, ({ membership }) => membership.state === 'member')
  return { network, members }
}

describe.skipIf(skipped)('members on one link', () => {
  it('find each other after a restart, with root, name server and all addresses gone', async () => {
    const { network, members } = await made('on')
    using _ = network
    const both = ['one', 'two']
    for (const name of both) await members.join(name, 'integrated')
    await members.status(both, ceilingMs, ({ membership }) => membership.state === 'member')
    await members.peers(both, ceilingMs, (rows) => rows.size === 3)
    await Promise.all(['root', ...both].map((name) => members.end(name, 'SIGTERM')))
    leaveLinkAlone(network, both)
    for (const name of both) members.start(name, 'node', 'start', '--name', name)
    await members.peers(both, ceilingMs, (rows, name) => rows.get(name === 'one' ? 'two' : 'one')?.state === 'online')
    const { link } = await members.client('one').status()
    expect(link).toMatchObject({ interfaces: ['eth0'], dropped: 0 })
    const row = (await members.client('one').peers()).peers.find(({ name }) => name === 'two')
    expect(row?.address).toMatch(/^\/ip6(zone\/eth0\/ip6)?\/fe80:/)
    expect(members.cli('one', 'status')).toMatch(/Link +eth0/)
    expect(() => members.cli('one', 'doctor', '--json')).toThrow(
      expect.objectContaining({ stdout: expect.stringContaining('members are looked for on eth0') })
    )
  })

  it('let a newcomer in whose invite leads nowhere', async () => {
    const { network, members } = await made('on')
    using _ = network
    const { line } = await members.client('root').invite({ role: 'integrated', name: 'one' })
    leaveLinkAlone(network, ['root', 'one'])
    members.start('one', 'join', line)
    await members.status(['one'], ceilingMs, ({ membership }) => membership.state === 'member')
    // An address of a link is of use there alone: it is in no record and not kept.
    const { peers } = await members.client('one').peers()
    expect(peers.flatMap(({ addresses }) => addresses).filter((each) => each.includes('fe80'))).toEqual([])
  })

  it('say and hear nothing there unless the configuration wants it', async () => {
    const { network, members } = await made('off')
    using _ = network
    expect((await members.client('root').status()).link).toBe(null)
    expect(network.run('root', ['cat', '/proc/net/udp6'])).not.toContain(':14E9 ')
  })
})
