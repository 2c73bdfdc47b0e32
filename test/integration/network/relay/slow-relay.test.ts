import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { isRelayed, parseCircuit } from '../../../../src/address/circuit.ts'
import { peerIdText } from '../../../../src/identity/keys.ts'
import type { TrustNode } from '../../../../src/node/node.ts'
import { relayTo } from '../../../helpers/faults/relay.ts'
import { freePort } from '../../../helpers/free-port.ts'
import { eventually, TestNetwork } from '../../../helpers/network.ts'
import { memberAt } from '../../../helpers/network-views.ts'

/** Nobody listens there, as behind a firewall that lets nothing in. */
const shut = { 'announce.addresses': ['/ip6/::1/tcp/1'], 'relay.use': 'on' }

const circuitsTo = (node: TrustNode, peer: TrustNode) =>
  [...node.attached.trust.members()]
    .map(({ connection }) => connection)
    .filter((each) => each.status === 'open' && isRelayed(each) && each.remotePeer.toString() === peer.peerId)

const relayOf = ({ remoteAddr }: { remoteAddr: { toString(): string } }) => parseCircuit(remoteAddr)?.relay

const relaysAt = (node: TrustNode, name: string): string[] =>
  (node.registry.records.read(memberAt(node, name).publicKey)?.relayKeys ?? []).map(peerIdText)

it('a relay that is slow is gone around, and what is under way on it goes on', async () => {
  await using network = await TestNetwork.create({ 'relay.serve': 'off' })
  const port = await freePort()
  await using between = await relayTo(port)
  const reachedThere = { 'listen.port': port, 'announce.addresses': [`/ip6/::1/tcp/${between.port}`] }
  const slow = await network.join('slow', { ...reachedThere, 'relay.serve': 'on' })
  const one = await network.join('one', shut)
  const two = await network.join('two', shut)
  await using server = createServer((socket) => socket.pipe(socket))
  server.listen(0, '::1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  two.forwards.expose('echo', `[::1]:${address.port}`)
  await eventually(() => relaysAt(one, 'two').join() === slow.peerId)
  const bytes = await one.forwards.call({ peer: 'two', service: 'echo' })
  const answered = async (text: string): Promise<boolean> => {
    bytes.write(text)
    const [said] = await once(bytes, 'data')
    return String(said) === text
  }
  expect(await answered('before')).toBe(true)
  const [circuit] = circuitsTo(one, two)
  const other = await network.join('other', { 'relay.serve': 'on' })
  await eventually(() => relaysAt(one, 'two').length === 2)

  between.freeze()
  await eventually(() => circuitsTo(one, two).some((each) => relayOf(each) === other.peerId))
  expect(await one.control.ping({ peer: 'two' })).toMatchObject({ received: 1, relay: { name: 'other' } })
  between.thaw()
  expect(await answered('after')).toBe(true)
  expect(circuit?.status).toBe('open')
  // When nothing is under way on it any more, one way is enough.
  bytes.end()
  await eventually(() => circuitsTo(one, two).map(relayOf).join() === other.peerId)
})
