import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import type { RowSource } from './member-rows.ts'

/** Source of rows, at a running node. */
export const rowSourceOf = (node: NodeContext, network: NetworkNode): RowSource => ({
  registry: network.registry,
  trust: network.trust,
  traffic: network.traffic,
  rttMs: (peerId) => network.rttMs(peerId),
  answeredAgeMs: (peerId) => network.pingMonitor?.answeredAgeMs(peerId),
  self: node.key.publicKey,
  announced: network.announced,
  software: node.software,
  leaseHolder: network.session?.peer.publicKey,
  now: node.clock.now()
})
