import { expect, it } from 'vitest'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { HostMembers } from '../host-members.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'

/** Hosts on one link with nothing but their link-local addresses from now on: no router, no name server, no address of before. */
const leaveLinkAlone = (network: HostNetwork, names: readonly string[]): void => {
  for (const name of names)
    network.run(name, ['ip', '-6', 'address', 'delete', `${network.host(name).address}/64`, 'dev', 'eth0'])
}

const hosts = (): HostNetwork => new HostNetwork(['root', 'one', 'two'])

const rootOf = async (network: HostNetwork, link: 'on' | 'off'): Promise<HostMembers> => {
  const members = new HostMembers(network, 'link.test', { TRUSTNET_LINK: link })
  members.found()
  members.registry('root')
  await members.status(['root'], ceilingMs, ({ membership }) => membership.state === 'member')
  return members
}

describeUnless(whyNoNamespaces())('members on one link', () => {
  it('find each other after a restart, with root, name server and all addresses gone', async () => {
    using network = hosts()
    const members = await rootOf(network, 'on')
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
    const addressAt = async (name: string, of: string): Promise<string> =>
      (await members.client(name).peers()).peers.find((row) => row.name === of)?.address ?? ''
    // Shown by the one of them that dialled.
    await expect
      .poll(async () => `${await addressAt('one', 'two')} ${await addressAt('two', 'one')}`)
      .toMatch(/\/ip6zone\/eth0\/ip6\/fe80:/)
    expect(members.cli('one', 'status')).toMatch(/Link +eth0/)
    expect(() => members.cli('one', 'doctor', '--json')).toThrow(
      expect.objectContaining({ stdout: expect.stringContaining('members are looked for on eth0') })
    )
  })

  it('let a newcomer in whose invite leads nowhere', async () => {
    using network = hosts()
    const members = await rootOf(network, 'on')
    const { line } = await members.client('root').invite({ role: 'integrated', name: 'one' })
    leaveLinkAlone(network, ['root', 'one'])
    members.start('one', 'join', line)
    await members.status(['one'], ceilingMs, ({ membership }) => membership.state === 'member')
    // An address of a link is of use there alone: it is in no record and not kept.
    const { peers } = await members.client('one').peers()
    expect(peers.flatMap(({ addresses }) => addresses).filter((each) => each.includes('fe80'))).toEqual([])
  })

  it('are heard on all other interfaces when one is gone, and on one that takes its place', async () => {
    using network = hosts()
    const members = await rootOf(network, 'on')
    const ip = (...args: string[]): void => void network.run('root', ['ip', ...args])
    const add = (device: string): void => {
      ip('link', 'add', 'name', device, 'type', 'veth', 'peer', 'name', `${device}end`)
      for (const each of [device, `${device}end`]) ip('link', 'set', 'dev', each, 'up')
    }
    const listensOn = async (devices: string): Promise<unknown> =>
      await members.status(
        ['root'],
        ceilingMs,
        ({ link }) => link?.interfaces.toSorted((a, b) => a.localeCompare(b)).join() === devices
      )
    const isInGroup = (device: string): boolean =>
      new RegExp(String.raw`\s${device}\s+ff02\w*fb\s`).test(network.run('root', ['cat', '/proc/net/igmp6']))
    add('first')
    await listensOn('eth0,first,firstend')
    add('second')
    await listensOn('eth0,first,firstend,second,secondend')
    ip('link', 'delete', 'dev', 'first')
    await listensOn('eth0,second,secondend')
    expect(['eth0', 'second', 'secondend'].filter((device) => !isInGroup(device))).toEqual([])
    ip('link', 'delete', 'dev', 'second')
    add('second')
    await expect.poll(() => isInGroup('second'), { timeout: ceilingMs, interval: 500 }).toBe(true)
  })

  it('say and hear nothing there unless the configuration wants it', async () => {
    using network = hosts()
    const members = await rootOf(network, 'off')
    expect((await members.client('root').status()).link).toBe(null)
    expect(network.run('root', ['cat', '/proc/net/udp6'])).not.toContain(':14E9 ')
  })
})
