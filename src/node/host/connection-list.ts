import type { ConnectionManager } from '@libp2p/interface-internal'

/**
 * libp2p lists all connections whenever one opens, to see whether one must be pruned, and copies the list once for each of them: opening
 * the ten-thousandth takes 100 ms. A service, because services are given the connection manager.
 */
export const connectionList =
  () =>
  ({ connectionManager: manager }: { connectionManager: ConnectionManager }): object => {
    const ofPeer = manager.getConnections.bind(manager)
    manager.getConnections = (peerId) =>
      peerId === undefined ? [...manager.getConnectionsMap().values()].flat() : ofPeer(peerId)
    return {}
  }
