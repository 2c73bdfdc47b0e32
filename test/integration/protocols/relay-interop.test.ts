import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import type { Connection, Libp2p } from '@libp2p/interface'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { expect, it } from 'vitest'
import { circuitVia } from '../../../src/address/circuit.ts'
import { publicKeyOfPeerId } from '../../../src/identity/keys.ts'
import { roundTripMs } from '../../../src/node/peers/ping-monitor.ts'
import { defaultLimits } from '../../../src/protocols/engine/limits.ts'
import { ConnectionTrust } from '../../../src/protocols/engine/trust/connection-trust.ts'
import { relayServer, relayTransport, reserveAt } from '../../../src/protocols/relay/index.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'

const limits = defaultLimits

type Options = Pick<Libp2pOptions, 'transports' | 'addresses'> & { relay?: object }

/** A plain host of libp2p. */
const start = async (stack: AsyncDisposableStack, { transports = [], addresses, relay }: Options): Promise<Libp2p> => {
  const libp2p = await createLibp2p({
    transports: [tcp(), ...transports],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    addresses: addresses ?? { listen: ['/ip6/::1/tcp/0'] },
    services: { identify: identify(), ping: ping(), ...relay }
  })
  stack.defer(async () => await libp2p.stop())
  return libp2p
}

/** Takes everybody for a member. */
const trusting = () => {
  const trust = new ConnectionTrust({ limits: limits.strangers, settleMs: ceilingMs })
  const prove = ({ detail }: CustomEvent<Connection>): void =>
    trust.prove(detail, { publicKey: publicKeyOfPeerId(detail.remotePeer), name: 'any', role: 'root' })
  return { trust, follow: (libp2p: Libp2p): void => libp2p.addEventListener('connection:open', prove) }
}

const addressOf = (libp2p: Libp2p): string => String(libp2p.getMultiaddrs()[0])

it("circuits of libp2p's own clients go through a relay of ours", async () => {
  await using stack = new AsyncDisposableStack()
  const signal = AbortSignal.timeout(ceilingMs)
  const { trust, follow } = trusting()
  const relay = await start(stack, { relay: { relay: relayServer({ trust, limits, mayServe: () => true }) } })
  follow(relay)
  const via = `${addressOf(relay)}/p2p-circuit`
  const target = await start(stack, {
    transports: [circuitRelayTransport()],
    addresses: { listen: [via] }
  })
  await eventually(() => target.getMultiaddrs().length > 0)
  const source = await start(stack, { transports: [circuitRelayTransport()] })
  const connection = await source.dial(multiaddr(`${via}/p2p/${target.peerId.toString()}`), { signal })
  expect(connection.remotePeer.equals(target.peerId)).toBe(true)
  expect(connection.limits).toBeUndefined()
  expect(await roundTripMs(connection, signal)).toBeGreaterThan(0)
})

it("circuits of ours go through libp2p's own relay", async () => {
  await using stack = new AsyncDisposableStack()
  const signal = AbortSignal.timeout(ceilingMs)
  const relay = await start(stack, { relay: { relay: circuitRelayServer() } })
  const ours = async () => {
    const { trust, follow } = trusting()
    const transport = relayTransport({ trust, limits, isReservedAt: () => true })
    const libp2p = await start(stack, { transports: [transport] })
    follow(libp2p)
    return { libp2p, toRelay: await libp2p.dial(multiaddr(addressOf(relay)), { signal }) }
  }
  const [source, target] = await Promise.all([ours(), ours()])
  expect(await reserveAt(target.toRelay, { limits, signal })).toBeGreaterThan(0)
  const address = `${circuitVia(relay.peerId.toString())}/p2p/${target.libp2p.peerId.toString()}`
  const connection = await source.libp2p.dial(multiaddr(address), { signal })
  expect(await roundTripMs(connection, signal)).toBeGreaterThan(0)
  expect(connection.direct).toBe(false)
})
