import type { NodeContext } from '../node-context.ts'
import { type DiscoveryInit, discoverNetwork, firstUseNotice } from './discovery.ts'
import { networkFields } from './pin-checks.ts'

/** Finds the network of a node that has none yet. Gives the envelope of its genesis. */
export async function findNetwork(
  node: NodeContext,
  hooks: Pick<DiscoveryInit, 'onFailure' | 'onBegun'>
): Promise<Uint8Array> {
  const proof = await discoverNetwork({ ...hooks, node, limits: node.config.protocols }, node.signal)
  if (node.pin === undefined) node.logging.logger.warn(networkFields(proof.networkId), firstUseNotice(proof))
  return proof.genesis.bytes
}
