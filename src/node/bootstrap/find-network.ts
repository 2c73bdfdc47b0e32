import type { NodeContext } from '../node-context.ts'
import { type DiscoveryInit, discoverNetwork, firstUseNotice } from './discovery.ts'
import { networkFields } from './pin-checks.ts'

/** Finds the network of a node that has none yet. Gives the envelope of its genesis. */
export async function findNetwork(
  node: NodeContext,
  hooks: Pick<DiscoveryInit, 'onFailure' | 'onBegun'>
): Promise<Uint8Array> {
  const { config, key, clock, software, candidates, services, signal } = node
  const { logger, libp2p } = node.logging
  const proof = await discoverNetwork(
    {
      ...hooks,
      config,
      key,
      role: config.role,
      software,
      pin: () => node.pin,
      invitedIn: () => node.invites.invite?.grant.epoch,
      candidates,
      limits: config.protocols,
      clock,
      logger,
      libp2pLogger: libp2p,
      services
    },
    signal
  )
  if (node.pin === undefined) logger.warn(networkFields(proof.networkId), firstUseNotice(proof))
  return proof.genesis.bytes
}
