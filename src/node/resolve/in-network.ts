import { peerIdText } from '../../identity/keys.ts'
import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import { lookup } from '../../protocols/lookup/index.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import type { NodeRecord } from '../../registry/objects/record.ts'
import type { Registry } from '../../registry/registry.ts'
import { within } from '../../runtime/abort.ts'
import { NotFoundError } from '../../runtime/errors.ts'
import type { Part, Running, Supervisor } from '../../runtime/supervisor.ts'
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

/** Until the own record is put into the DHT again, where that failed. */
const retryMs = 60_000

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

/** Servers of the DHT forget what is not put again, and while none of them has the own record it is tried more often. */
const putPauseMs = (holders: number, { republishMs, unheldMs }: ProtocolLimits['kad']): number =>
  holders > 0 ? republishMs : unheldMs

/** A network as its DHT needs it. */
interface DhtNetwork {
  readonly limits: Pick<ProtocolLimits, 'kad'>
  readonly services: Pick<HostServices, 'kad'> | undefined
}

/** The DHT, of which the registries are the servers. */
export const dhtResolver = (network: () => DhtNetwork | undefined, services: Supervisor): Resolver => {
  let own: Signed<NodeRecord> | undefined
  let putting: Running | undefined
  const put = async (signal: AbortSignal): Promise<number | undefined> => {
    const { services: { kad } = {}, limits } = network() ?? {}
    if (own === undefined || kad === undefined || limits === undefined) return undefined
    return putPauseMs(await kad.putRecord(own, { signal }), limits.kad)
  }
  return {
    health: services.part('dht'),
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
    // It asks many, and nobody waits for it.
    async register(record) {
      own = record
      if (putting !== undefined) putting.wake()
      else putting = services.run('dht', { everyMs: retryMs, firstMs: 0, round: put })
    }
  }
}
