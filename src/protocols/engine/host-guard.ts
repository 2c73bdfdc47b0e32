import type { PeerId, PeerStore } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { NotMemberError, RevokedError } from '../../runtime/errors.ts'
import { BoundedStreams } from './libraries/bounded-streams.ts'
import { boundPeers } from './peer-bounds.ts'
import { ConnectionGuard, type ConnectionGuardComponents, type ConnectionGuardInit } from './trust/connection-guard.ts'

export interface HostGuardComponents extends ConnectionGuardComponents {
  peerId: PeerId
  peerStore: PeerStore
  registrar: Registrar
}

const identifyProtocols = ['/ipfs/id/1.0.0', '/ipfs/id/push/1.0.0']

/**
 * Bounds what libp2p itself takes from others: frames and streams of a connection, what is remembered of a peer, and how often one
 * identifies itself. A service, and the first one, because services are given the parts of libp2p before they are used.
 */
export const hostGuard =
  (init: ConnectionGuardInit) =>
  (components: HostGuardComponents): object => {
    const { peerId, peerStore, registrar } = components
    boundPeers(peerStore, peerId, init.limits.peers)
    boundIdentify(components, init)
    shutRefused(registrar, init)
    return new ConnectionGuard(components, init)
  }

/** Refuses every stream of whoever was told for good that it gets nothing here, whatever protocol it is of. */
function shutRefused(registrar: Registrar, { trust }: ConnectionGuardInit): void {
  const handle = registrar.handle.bind(registrar)
  registrar.handle = async (protocol, handler, options) =>
    await handle(
      protocol,
      async (stream, connection) => {
        if (trust.isRefused(connection)) stream.abort(new NotMemberError('this connection was refused by hello'))
        else await handler(stream, connection)
      },
      options
    )
}

function boundIdentify({ registrar, events }: HostGuardComponents, { trust, limits }: ConnectionGuardInit): void {
  const handle = registrar.handle.bind(registrar)
  const boundedStreams = () => new BoundedStreams(trust, { section: 'identify', ...limits.identify })
  registrar.handle = async (protocol, handler, options) => {
    if (!identifyProtocols.includes(protocol)) return await handle(protocol, handler, options)
    const streams = boundedStreams()
    await handle(
      protocol,
      async (stream, connection) => {
        if (trust.isRevoked(connection)) stream.abort(new RevokedError('this key was revoked'))
        else if (streams.accept(stream, connection)) await handler(stream, connection)
      },
      options
    )
  }
  const answers = boundedStreams()
  // Before identify, which asks whoever has connected.
  events.addEventListener('connection:open', ({ detail: connection }) => {
    const newStream = connection.newStream.bind(connection)
    connection.newStream = async (protocols, options) => {
      const stream = await newStream(protocols, options)
      if (identifyProtocols.includes(stream.protocol)) answers.opened(stream, connection)
      return stream
    }
  })
}
