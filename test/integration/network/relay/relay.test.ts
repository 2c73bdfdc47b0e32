import { once } from 'node:events'
import { createServer } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { isRelayed } from '../../../../src/address/circuit.ts'
import { peerIdText } from '../../../../src/identity/keys.ts'
import type { TrustNode } from '../../../../src/node/node.ts'
import { eventually, TestNetwork } from '../../../helpers/network.ts'
import { memberAt } from '../../../helpers/network-views.ts'

/** Nobody listens there, as behind a firewall that lets nothing in, and it dials registries alone. */
const shut = { 'announce.addresses': ['/ip6/::1/tcp/1'], 'relay.use': 'on', 'limits.peersWanted': 0 }

const relaysAt = (node: TrustNode, name: string): string[] =>
  (node.registry.records.read(memberAt(node, name).publicKey)?.relayKeys ?? []).map(peerIdText)

const waysTo = (node: TrustNode, peer: TrustNode): boolean[] =>
  [...node.attached.trust.members()]
    .filter(({ connection }) => connection.status === 'open' && connection.remotePeer.toString() === peer.peerId)
    .map(({ connection }) => isRelayed(connection))

const rowOf = async (node: TrustNode, name: string) =>
  (await node.control.peers()).peers.find((row) => row.name === name)

it('two members that nobody can dial talk through the root, and a direct way takes its place', async () => {
  await using network = await TestNetwork.create()
  const root = network.node('root')
  const one = await network.join('one', shut)
  const two = await network.join('two', shut)
  // Each asks for its reservation when it has heard that the root relays.
  await eventually(() => [relaysAt(one, 'two'), relaysAt(two, 'one')].every((relays) => relays.includes(root.peerId)))
  expect((await one.control.status()).relay).toMatchObject({ relays: [{ name: 'root' }], trouble: null })
  const ping = await one.control.ping({ peer: 'two' })
  expect(ping).toMatchObject({ received: 1, relay: { name: 'root' }, direction: 'out' })
  expect(await rowOf(one, 'two')).toMatchObject({ direction: 'out', relay: { name: 'root' } })
  expect(await rowOf(two, 'one')).toMatchObject({ direction: 'in', relay: { name: 'root' } })
  expect(await rowOf(one, 'root')).toMatchObject({ relay: null })
  const { checks } = await one.control.why({ peer: 'two' })
  const detailOf = (what: string) => checks.find((each) => each.what === what)?.detail
  expect(detailOf('record')).toContain(', through root, reach ')
  expect(detailOf('connection')).toMatch(/^out, relayed by root.*: (nobody gets through to it|none of its addresses)/)
  expect(root.attached.services?.relay?.counts).toMatchObject({ reservations: 2, circuits: 1 })
  // Whoever has the true address gets through.
  await one.control.connect({ multiaddr: network.address('two') })
  await eventually(() => waysTo(one, two).join() === 'false' && waysTo(two, one).join() === 'false')
  expect(await rowOf(one, 'two')).toMatchObject({ relay: null })
  await eventually(() => root.attached.services?.relay?.counts.circuits === 0)
})

it('a service is forwarded through a relay, byte for byte, with its end', async () => {
  await using network = await TestNetwork.create()
  const root = network.node('root')
  const one = await network.join('one', shut)
  const two = await network.join('two', shut)
  await using server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket))
  server.listen(0, '::1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  two.forwards.expose('echo', `[::1]:${address.port}`)
  await eventually(() => relaysAt(one, 'two').includes(root.peerId))
  const bytes = await one.forwards.call({ peer: 'two', service: 'echo' })
  const sent = Buffer.alloc(3 * 2 ** 20, 'relayed ')
  bytes.end(sent)
  expect((await buffer(bytes)).equals(sent)).toBe(true)
  expect(waysTo(one, two)).toEqual([true])
  expect(root.attached.services?.relay?.counts.bytes).toBeGreaterThan(2 * sent.byteLength)
})

it('many forwards at once go through one circuit, and none of them is cut off', async () => {
  await using network = await TestNetwork.create()
  const root = network.node('root')
  const one = await network.join('one', shut)
  const two = await network.join('two', shut)
  const sent = Buffer.alloc(1.5 * 2 ** 20, 'relayed ')
  await using server = createServer((socket) => socket.end(sent))
  server.listen(0, '::1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  two.forwards.expose('bulk', `[::1]:${address.port}`)
  await eventually(() => relaysAt(one, 'two').includes(root.peerId))
  await eventually(async () => (await one.control.ping({ peer: 'two' })).received === 1)
  const got = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const bytes = await one.forwards.call({ peer: 'two', service: 'bulk' })
      bytes.end()
      return (await buffer(bytes)).equals(sent)
    })
  )
  expect(got).toEqual(Array.from({ length: 8 }, () => true))
  expect(waysTo(one, two)).toEqual([true])
})

it('another relay takes over when one dies, and a revoked member loses its circuits at once', async () => {
  await using network = await TestNetwork.create()
  const root = network.node('root')
  const second = await network.join('second', { role: 'secondary' })
  const one = await network.join('one', shut)
  const two = await network.join('two', shut)
  await eventually(() => relaysAt(one, 'two').length === 2)
  const [first] = relaysAt(one, 'two')
  const ping = async () => await one.control.ping({ peer: 'two' })
  expect(await ping()).toMatchObject({ received: 1 })
  // The circuit that is there goes through the best: that of the secondary is cut by the death of it.
  if (first !== second.peerId) await one.control.disconnect({ peer: 'two' })
  await second.stop('it dies')
  // Nobody asks for it.
  await eventually(() => waysTo(one, two).join() === 'true' && waysTo(two, one).join() === 'true')
  expect(await ping()).toMatchObject({ received: 1, relay: { name: 'root' } })
  await root.control.revoke({ peer: 'two', reason: 'stolen' })
  await eventually(() => waysTo(one, two).length === 0)
  await eventually(() => root.attached.services?.relay?.counts.circuits === 0)
  await expect(ping()).rejects.toThrow(/two/)
})

it('a node that nobody can dial and nobody relays for says why', async () => {
  await using network = await TestNetwork.create({ 'relay.serve': 'off' })
  const one = await network.join('one', shut)
  await eventually(async () => (await one.control.status()).relay.trouble !== null)
  expect((await one.control.status()).relay).toMatchObject({
    relays: [],
    trouble: 'no member is connected that relays and may by the policy of the network',
    serves: null
  })
})
