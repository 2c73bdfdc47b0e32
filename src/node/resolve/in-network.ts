import { peerIdText } from '../../identity/keys.ts'
import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import { lookup } from '../../protocols/lookup/index.ts'
import type { NodeRecord } from '../../registry/objects/record.ts'
import type { Registry } from '../../registry/registry.ts'
import { within } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { NotFoundError } from '../../runtime/errors.ts'
import type { Part } from '../../runtime/supervisor.ts'
import type { PeerSource } from '../api/views.ts'
import type { HostServices } from '../host/host-services.ts'
import type { LeaseClient, SessionView } from '../session/lease-client.ts'
import type { KnownCandidate, Resolver } from './resolver.ts'

/** A network as those see it who look for its members. */
export interface ResolvedNetwork {
  readonly registry: Registry
  readonly limits: ProtocolLimits
  readonly lease: LeaseClient | undefined
  readonly session: SessionView | undefined
  /** undefined: its host has not started yet. */
  readonly services: HostServices | undefined
}

/** Gives the network at the moment; undefined: it was not found yet. */
type NetworkNow = () => ResolvedNetwork | undefined

/** A registry that takes longer is frozen or cut off, and the next place is asked. */
const answerMs = 2_000

const candidatesOf = (record: NodeRecord | undefined, source: PeerSource): KnownCandidate[] => {
  if (record === undefined || record.reach === 'outbound') return []
  const peerIds = [peerIdText(record.publicKey)]
  return record.addrs.map((multiaddr) => ({ multiaddr, peerIds, source }))
}

/** The registry that holds the lease: its records are newer than those of a node that has just joined. */
export const registryResolver = (network: NetworkNow, health: Part): Resolver => ({
  health,
  async resolve(publicKey, signal) {
    const { session, registry, limits } = network() ?? {}
    if (publicKey === undefined || session === undefined || registry === undefined || limits === undefined)
      return undefined
    const inTime = within(answerMs, signal)
    const options = { networkId: registry.networkId, limits, signal: inTime }
    const { rows } = await lookup(session.peer.connection, { publicKey }, options)
    return candidatesOf(rows[0]?.record?.value, 'registry')
  },
  register: async () => await network()?.lease?.put()
})

/** The records that gossip and sync brought, and the address of the last connection. */
export const gossipResolver = (network: NetworkNow): Resolver => ({
  async resolve(publicKey) {
    const { registry } = network() ?? {}
    if (publicKey === undefined || registry === undefined) return undefined
    const found = candidatesOf(registry.records.read(publicKey), 'gossip')
    const { lastAddress } = registry.liveness.view(publicKey)
    if (lastAddress === undefined || found.some(({ multiaddr }) => multiaddr === lastAddress)) return found
    return [...found, { multiaddr: lastAddress, peerIds: [peerIdText(publicKey)], source: 'cache' }]
  },
  register: async ({ bytes }) => network()?.services?.announce?.announceRecord(bytes)
})

/** The DHT, of which the registries are the servers. */
export const dhtResolver = (network: NetworkNow, health: Part): Resolver => ({
  health,
  async resolve(publicKey, signal) {
    const kad = network()?.services?.kad
    if (publicKey === undefined || kad === undefined) return undefined
    try {
      return candidatesOf((await kad.findRecord(publicKey, { signal })).value, 'dht')
    } catch (error) {
      if (error instanceof NotFoundError) return []
      throw error
    }
  },
  async register(record) {
    // It asks many, and nobody waits for it.
    const put = network()
      ?.services?.kad?.putRecord(record)
      .then(
        () => health.ok(),
        (error: unknown) => health.failed(error)
      )
    inBackground(put, 'putting the own record into the DHT')
  }
})
