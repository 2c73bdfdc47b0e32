import type { Connection, PeerId, PeerInfo } from '@libp2p/interface'
import type { KadDHTComponents } from '@libp2p/kad-dht'
import { CODE_P2P, type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { isPlainIp6 } from '../../address/multiaddr.ts'
import { publicKeyOfPeerId } from '../../identity/keys.ts'
import { within } from '../../runtime/abort.ts'
import { NotMemberError, UnavailableError } from '../../runtime/errors.ts'
import { BoundedStreams } from '../engine/libraries/bounded-streams.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import type { ConnectionTrust } from '../engine/trust/connection-trust.ts'
import { membersOnlyRegistrar } from '../engine/trust/members-only.ts'
import { ValueStore } from './store.ts'
import type { KadSource } from './validate.ts'

export interface KadGuard {
  source: KadSource
  trust: ConnectionTrust
  limits: ProtocolLimits['kad']
}

/** Time for which a peer that answers nothing keeps a slot in a full bucket; kad-dht asks again at the next chance. */
const retryMs = 60_000

function isMemberPeer(peerId: PeerId, source: KadSource): boolean {
  try {
    return source.replica.isMember(publicKeyOfPeerId(peerId))
  } catch {
    return false
  }
}

/**
 * Routing that takes only ids from DHT answers: its addresses are those of the record that it has signed, or where it is
 * connected from.
 */
export const filterPeer = (peer: PeerInfo, source: KadSource, connections: readonly Connection[] = []): PeerInfo => ({
  ...peer,
  multiaddrs: isMemberPeer(peer.id, source) ? addressesOf(peer.id, source, connections) : []
})

const addressesOf = (peerId: PeerId, { records }: KadSource, connections: readonly Connection[]): Multiaddr[] => {
  const signed = records.read(publicKeyOfPeerId(peerId))?.addrs ?? []
  if (signed.length > 0) return signed.map((address) => multiaddr(address))
  return connections.map(({ remoteAddr }) => remoteAddr.decapsulateCode(CODE_P2P)).filter((each) => isPlainIp6(each))
}

/** Components that kad-dht gets of the host: members, plain IPv6 addresses and a bounded store of its own. */
export function guardComponents(components: KadDHTComponents, guard: KadGuard): KadDHTComponents {
  return {
    peerId: components.peerId,
    privateKey: components.privateKey,
    addressManager: components.addressManager,
    events: components.events,
    logger: components.logger,
    ...(components.metrics === undefined ? {} : { metrics: components.metrics }),
    registrar: membersOnlyRegistrar(components.registrar, guard.trust, {
      direct: true,
      bounds: { section: 'kad', ...guard.limits }
    }),
    datastore: new ValueStore(guard.limits.values),
    peerStore: guardPeerStore(components.peerStore, guard.source),
    connectionManager: guardConnections(components.connectionManager, guard),
    ping: guardPing(components, guard)
  }
}

type PeerStore = KadDHTComponents['peerStore']
type PeerData = Parameters<PeerStore['merge']>[1]

/** kad-dht tags its neighbours to be kept connected, and stores what answers say: neither is for it to decide. */
function guardPeerStore(peerStore: PeerStore, source: KadSource): PeerStore {
  return new Proxy(peerStore, {
    get(target, property) {
      if (property === 'merge') {
        return async (peerId: PeerId, data: PeerData, options?: Parameters<PeerStore['merge']>[2]) => {
          if (!isMemberPeer(peerId, source)) throw new NotMemberError(`${peerId.toString()} is no member.`)
          return await target.merge(peerId, withoutClaims(data), options)
        }
      }
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}

function withoutClaims(given: PeerData): PeerData {
  const data = { ...given }
  delete data.tags
  delete data.multiaddrs
  delete data.addresses
  return data
}

type ConnectionManager = KadDHTComponents['connectionManager']

/** Streams go to members only, and wait until a new connection's hello has proved that it leads to one. */
function guardConnections(manager: ConnectionManager, guard: KadGuard): ConnectionManager {
  const streams = new BoundedStreams(guard.trust, { section: 'kad', frameBytes: guard.limits.frameBytes })
  const openStream: ConnectionManager['openStream'] = async (peer, protocol, options) => {
    const signal = within(guard.limits.queryMs, options?.signal ?? undefined)
    const connection = await manager.openConnection(peer, { signal })
    if (!(await guard.trust.settled(connection))) {
      throw new NotMemberError(`${connection.remotePeer.toString()} did not prove that it is a member.`)
    }
    const stream = await connection.newStream(protocol, { signal })
    streams.opened(stream, connection)
    return stream
  }
  const isDialable: ConnectionManager['isDialable'] = async (given, options) => {
    const addresses: Multiaddr[] = Array.isArray(given) ? given : [given]
    const plain = addresses.filter((each) => isPlainIp6(each))
    return plain.length > 0 && (await manager.isDialable(plain, options))
  }
  return new Proxy(manager, {
    get(target, property) {
      if (property === 'openStream') return openStream
      if (property === 'isDialable') return isDialable
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}

/** kad-dht asks before it takes somebody into its table. Only who is connected as a member is taken: a table is no reason to dial. */
function guardPing({ connectionManager, ping }: KadDHTComponents, { trust }: KadGuard): KadDHTComponents['ping'] {
  return {
    ping: async (peer, options) => {
      const connections = connectionManager
        .getConnections()
        .filter((each) => each.remotePeer.toString() === String(peer))
      if (!connections.some((each) => trust.isMember(each))) {
        throw new UnavailableError(`${String(peer)} is not connected.`, retryMs)
      }
      return await ping.ping(peer, options)
    }
  }
}
