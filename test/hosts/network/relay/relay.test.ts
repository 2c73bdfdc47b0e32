import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { ceilingMs } from '../../../helpers/ceiling.ts'
import { eventually } from '../../../helpers/network.ts'
import { describeUnless } from '../../../helpers/vitest/describe-unless.ts'
import { HostMembers } from '../../host-members.ts'
import { HostNetwork, whyNoNamespaces } from '../../host-network.ts'

/** Lets nothing in but answers, as IPv6 firewalls do. */
const firewall = `table ip6 firewall { chain input { type filter hook input priority 0; policy drop;
  iif lo accept; meta l4proto ipv6-icmp accept; ct state established,related accept; }; }`

const echo = `require('node:net').createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(7000, '::1')`

describeUnless(whyNoNamespaces())('two members behind firewalls that let nothing in', () => {
  it('exchange bytes through a secondary, then through another one, and no more when one is revoked', async () => {
    using network = new HostNetwork(['root', 'second', 'third', 'one', 'two'])
    const members = new HostMembers(network, 'relay.test')
    members.env.set('root', { TRUSTNET_RELAY_SERVE: 'off' })
    for (const name of ['one', 'two']) network.run(name, ['nft', '-f', '-'], {}, firewall)
    members.found()
    members.registry('root')
    await members.peers(['root'], ceilingMs, (rows) => rows.size === 1)
    for (const name of ['second', 'third']) await members.join(name, 'secondary')
    for (const name of ['one', 'two']) await members.join(name, 'integrated')
    await members.peers(['root', 'one', 'two'], ceilingMs, (rows) => rows.size === 5)

    let peerId = ''
    const ping = async () => await members.client('one').ping({ peer: 'two' })
    const relayNow = async (): Promise<string | null | undefined> => {
      // A busy machine may take longer than the socket waits.
      const answer = await ping().catch(() => undefined)
      if (answer !== undefined) peerId = answer.peerId
      return answer?.received === 1 ? answer.relay?.name : undefined
    }
    // They wait a while whether somebody gets through.
    let first = ''
    await eventually(async () => {
      first = (await relayNow()) ?? ''
      return ['second', 'third'].includes(first)
    })

    network.start('two', 'echo', [process.execPath, '-e', echo])
    members.cli('two', 'expose', 'echo', '--to', '[::1]:7000', '--node', 'two')
    const said = 'through a relay that cannot read it\n'.repeat(1000)
    const echoed = (): string | undefined => {
      try {
        return members.pipe('one', said, 'forward', 'two/echo', '-', '--node', 'one')
      } catch {
        // The service may not listen yet.
        return undefined
      }
    }
    await eventually(() => echoed() === said)

    const relayOf = async (): Promise<string | undefined> => {
      const answer = await members
        .client('one')
        .peers()
        .catch(() => undefined)
      return answer?.peers.find(({ name }) => name === 'two')?.relay?.name ?? undefined
    }
    const measured: string[] = []
    /** Nobody asks for it but this look. */
    const takenOver = async (by: string, what: string): Promise<void> => {
      const from = performance.now()
      while ((await relayOf()) !== by) await sleep(20)
      measured.push(`${what}: another one is in use after ${((performance.now() - from) / 1000).toFixed(2)} s`)
    }
    // It goes on, also where the relay only stands still.
    const other = first === 'second' ? 'third' : 'second'
    members.signal(first, 'SIGSTOP')
    await takenOver(other, 'a relay stands still')
    await eventually(() => echoed() === said)
    members.signal(first, 'SIGCONT')
    // Each has its two relays again.
    await eventually(async () => {
      const both = await Promise.all(
        ['one', 'two'].map(
          async (name) =>
            await members
              .client(name)
              .status()
              .catch(() => undefined)
        )
      )
      return both.every((status) => status?.relay?.relays.length === 2)
    })
    members.signal(other, 'SIGKILL')
    await takenOver(first, 'a relay is killed')
    await eventually(() => echoed() === said)
    process.stdout.write(`\n${measured.join('\n')}\n`)

    await members.client('root').revoke({ peer: 'two', reason: 'stolen' })
    const listed = async () => await members.client('one').connections()
    const isConnected = async (): Promise<boolean> => {
      const answer = await listed().catch(() => undefined)
      return answer?.connections.some((each) => each.peerId === peerId) !== false
    }
    await eventually(async () => !(await isConnected()))
    await expect(ping()).rejects.toThrow(/two/)
  })
})
