import type { Stream } from '@libp2p/interface'
import { describe, expect } from 'vitest'
import { isRelayed, parseCircuit } from '../../../../src/address/circuit.ts'
import { peerIdText } from '../../../../src/identity/keys.ts'
import type { TrustNode } from '../../../../src/node/node.ts'
import { hopId, stopId } from '../../../../src/protocols/relay/descriptor.ts'
import { eventually, TestNetwork } from '../../../helpers/network.ts'
import { memberAt } from '../../../helpers/network-views.ts'
import { attack, control } from '../../attack.ts'

/** Nobody listens there, as behind a firewall that lets nothing in. */
const shut = { 'announce.addresses': ['/ip6/::1/tcp/1'], 'relay.use': 'on' }

const relaysTo = (node: TrustNode, peer: TrustNode): (string | undefined)[] =>
  [...node.attached.trust.members()]
    .map(({ connection }) => connection)
    .filter((each) => each.status === 'open' && isRelayed(each) && each.remotePeer.toString() === peer.peerId)
    .map(({ remoteAddr }) => parseCircuit(remoteAddr)?.relay)

const relaysAt = (node: TrustNode, name: string): string[] =>
  (node.registry.records.read(memberAt(node, name).publicKey)?.relayKeys ?? []).map(peerIdText)

type Send = Stream['send']

/** What a relay does with the bytes of a circuit in place of passing them on. */
const lies: Record<string, (send: Send) => Send> = {
  'drops them': () => () => true,
  'changes them': (send) => (data) => {
    const changed = Uint8Array.from(data.subarray())
    changed[changed.byteLength - 1] = (changed.at(-1) ?? 0) ^ 1
    return send(changed)
  },
  'sends each behind the next one': (send) => {
    let held: Uint8Array | undefined
    return (data) => {
      const before = held
      held = before === undefined ? Uint8Array.from(data.subarray()) : undefined
      return before === undefined || (send(data) && send(before))
    }
  },
  'sends them twice': (send) => (data) => send(Uint8Array.from(data.subarray())) && send(data)
}

/** Nothing comes that could be judged. */
const isSilent = (lie: string): boolean => lie === 'drops them'

/** Two members with a circuit through a relay, which begins to lie when there is another one. */
const scene = async () => {
  const network = await TestNetwork.create({ 'relay.serve': 'off' })
  const liar = await network.join('liar', { 'relay.serve': 'on' })
  const one = await network.join('one', shut)
  const two = await network.join('two', shut)
  await eventually(() => relaysAt(one, 'two').join() === liar.peerId)
  expect(await one.control.ping({ peer: 'two' })).toMatchObject({ received: 1, relay: { name: 'liar' } })
  const other = await network.join('other', { 'relay.serve': 'on' })
  await eventually(() => relaysAt(one, 'two').length === 2)
  const lie = (change: (send: Send) => Send): number => {
    const streams = liar.attached.host
      .getConnections()
      .flatMap((connection) => connection.streams)
      .filter(({ protocol }) => protocol === hopId || protocol === stopId)
    for (const stream of streams) stream.send = change(stream.send.bind(stream))
    return streams.length
  }
  return { network, one, two, liar, other, lie }
}

describe('a relay that passes on other bytes than those that come', () => {
  for (const [what, change] of Object.entries(lies)) {
    attack(`${what}, to cut two members off or be taken for one of them`, async () => {
      const { network, one, two, liar, other, lie } = await scene()
      await using _ = network
      expect(lie(change)).toBe(2)
      // What is under way goes wrong, and is no other's words.
      await one.control.ping({ peer: 'two' }).catch(() => undefined)
      await eventually(() => relaysTo(one, two).includes(other.peerId))
      expect(await one.control.ping({ peer: 'two' })).toMatchObject({ received: 1, relay: { name: 'other' } })
      await eventually(() => !relaysTo(one, two).includes(liar.peerId))
      if (!isSilent(what))
        expect(network.logs.some((line) => /"relay":"liar".*what came is not what was sent/.test(line))).toBe(true)
      return {
        happened: `${what}: the circuit ends, and one through another relay is there`,
        held: 'Noise from end to end; a circuit from which nothing comes is asked, and gone around'
      }
    })
  }

  control('is not noticed when it passes on what comes', async () => {
    const { network, one, two, liar, lie } = await scene()
    await using _ = network
    expect(lie((send) => (data) => send(Uint8Array.from(data.subarray())))).toBe(2)
    expect(await one.control.ping({ peer: 'two' })).toMatchObject({ received: 1, relay: { name: 'liar' } })
    expect(relaysTo(one, two)).toEqual([liar.peerId])
    expect(network.logs.filter((line) => line.includes('what came is not what was sent'))).toEqual([])
  })
})
