import { describe, expect } from 'vitest'
import { peerIdText } from '../../../../src/identity/keys.ts'
import type { TrustNode } from '../../../../src/node/node.ts'
import { eventually, TestNetwork } from '../../../helpers/network.ts'
import { memberAt } from '../../../helpers/network-views.ts'
import { attack, control } from '../../attack.ts'

/** Nobody listens there, as behind a firewall that lets nothing in, and it dials registries alone. */
const shut = { 'announce.addresses': ['/ip6/::1/tcp/1'], 'relay.use': 'on', 'limits.peersWanted': 0 }

const relaysAt = (node: TrustNode, name: string): string[] =>
  (node.registry.records.read(memberAt(node, name).publicKey)?.relayKeys ?? []).map(peerIdText)

/** Has the record of a member name these as its relays. */
const claims = async (liar: TrustNode, relays: readonly TrustNode[]): Promise<void> => {
  Object.defineProperty(liar.network?.relays, 'relays', { get: () => relays.map(({ key }) => key.publicKey) })
  await liar.network?.self.ensure()
}

const circuitsAt = (nodes: readonly TrustNode[]): number =>
  nodes.reduce((sum, node) => sum + (node.attached.services?.relay?.counts.circuits ?? 0), 0)

describe('a member whose record names relays that do not relay for it', () => {
  attack('to have them dialled and asked for it by whoever wants to reach it', async () => {
    await using network = await TestNetwork.create({ 'relay.serve': 'off' })
    const named = [await network.join('a'), await network.join('b'), await network.join('c', { 'relay.serve': 'on' })]
    const liar = await network.join('liar', { ...shut, 'relay.use': 'off' })
    const one = await network.join('one', shut)
    await claims(liar, named)
    await eventually(() => relaysAt(one, 'liar').length === named.length)
    const asked = await one.control.ping({ peer: 'liar' })
    expect(asked.received).toBe(0)
    const each = 'a: it does not relay; b: it does not relay; c: the member has no reservation at this relay'
    expect(asked.lastError).toContain(`through relays: ${each}`)
    expect(circuitsAt(named)).toBe(0)
    expect(await one.control.ping({ peer: 'a' })).toMatchObject({ received: 1, relay: null })
    return {
      happened: 'three members named as relays: each is asked once, no circuit, and the error says what each has done',
      held: 'a relay brings circuits only to whoever has a reservation; members alone are asked, one after the other'
    }
  })

  control('is reached through those that do', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    const two = await network.join('two', shut)
    const one = await network.join('one', shut)
    await eventually(() => relaysAt(one, 'two').join() === root.peerId)
    expect(await one.control.ping({ peer: 'two' })).toMatchObject({ received: 1, relay: { name: 'root' } })
    expect(circuitsAt([root])).toBe(1)
    expect(two.network?.relays?.relays.length).toBe(1)
  })
})
