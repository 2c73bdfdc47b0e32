import { equals } from 'uint8arrays/equals'
import type { ConnectionTrust, TrustedMember } from '../protocols/engine/trust.ts'
import { peerIdText } from '../registry/keys.ts'
import { type Role, servesRegistry } from '../registry/role.ts'
import type { NetworkNode } from './network-node.ts'
import { cachedPeersWanted, type PhaseFacts, sourcesWanted } from './phases.ts'

const nothing: PhaseFacts = { member: false, session: false, replica: false, mesh: 0, sources: 0, cachedPeers: 0 }

/** What the phases are judged by, looked up now. */
export function phaseFacts(role: Role, self: Uint8Array, network: NetworkNode | undefined): PhaseFacts {
  if (network === undefined) return nothing
  const { registry, trust } = network
  return {
    member: network.isMember(),
    session: role === 'root' || network.session !== undefined,
    replica: registry.replica.checkpoint !== undefined && network.caughtUp,
    mesh: network.mesh,
    sources: sources(trust).size,
    cachedPeers: cachedPeers(network, self)
  }
}

/** PeerIds of connected members that serve the log; those that the phases ask for are enough. */
function sources(trust: ConnectionTrust): Set<string> {
  const found = new Set<string>()
  for (const { member } of trust.members()) {
    if (servesRegistry(member.role)) found.add(peerIdText(member.publicKey))
    if (found.size >= sourcesWanted) break
  }
  return found
}

/**
 * Members besides the root that a restart could ask: connected now, or connected before at an address that is stored. Counted up to as many
 * as are wanted, the connected ones first: this is asked after every change, also in a network of 100,000.
 */
function cachedPeers({ registry, trust }: NetworkNode, self: Uint8Array): number {
  const counted = new Set<string>()
  const look = ({ publicKey, role }: TrustedMember, isConnected: boolean): boolean => {
    if (role === 'root' || !servesRegistry(role) || equals(publicKey, self)) return false
    const { lastAddress, lastConnectedMs } = registry.liveness.view(publicKey)
    if (!isConnected && lastConnectedMs === undefined) return false
    const hasAddress = lastAddress !== undefined || (registry.records.read(publicKey)?.addrs.length ?? 0) > 0
    if (hasAddress) counted.add(peerIdText(publicKey))
    return counted.size >= cachedPeersWanted
  }
  for (const { member } of trust.members()) if (look(member, true)) return counted.size
  for (const member of registry.replica.state.members()) if (look(member, false)) return counted.size
  return counted.size
}
