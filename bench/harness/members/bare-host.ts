import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Libp2p } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'

const enough = 1_000_000

/** A libp2p host and nothing else: TCP, Noise, yamux. */
export const startBareHost = (listen: boolean): Promise<Libp2p> =>
  createLibp2p({
    addresses: { listen: listen ? ['/ip6/::1/tcp/0'] : [] },
    transports: [tcp({ backlog: 1024 })],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: {
      inboundConnectionThreshold: enough,
      maxIncomingPendingConnections: enough,
      maxConnections: enough,
      inboundUpgradeTimeout: 60_000,
      reconnectRetries: 0
    },
    connectionMonitor: { enabled: false }
  })
