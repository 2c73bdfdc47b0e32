import { equals } from 'uint8arrays/equals'
import { peerIdText } from '../../identity/keys.ts'
import { type Role, servesRegistry } from '../../identity/role.ts'
import type { ConnectionTrust, TrustedMember } from '../../protocols/engine/trust/connection-trust.ts'
import type { NetworkNode } from '../network-node.ts'
import { cachedPeersWanted, type PhaseFacts, sourcesWanted } from './phases.ts'

const nothing: PhaseFacts = { member: false, session: false, replica: false, mesh: 0, sources: 0, cachedPeers: 0 }

/** Facts that the phases are judged by, looked up now. */
export function phaseFacts(
  role: Role,
  self: Uint8Array,
  network: NetworkNode | undefined,
  cached: CachedPeers
): PhaseFacts {
  if (network === undefined) return nothing
  const { registry, trust } = network
  return {
    member: network.isMember(),
    session: role === 'root' || network.session !== undefined,
    replica: registry.replica.checkpoint !== undefined && network.caughtUp,
    mesh: network.mesh,
    sources: sources(trust).size,
    cachedPeers: cached.count(network, self)
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

/** A look over all members takes about 0.1 µs each, and this is asked after every change: a thousandth of the time may go there. */
const pauseMsPerMember = 0.1

/** Counts up to as many as are wanted, the connected ones first. */
export class CachedPeers {
  readonly #now: () => number
  #others = 0
  #lookAt = 0

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Members besides the root that a restart could ask: connected now, or connected before at an address that is stored. */
  count(network: NetworkNode, self: Uint8Array): number {
    const { registry, trust } = network
    const counted = new Set<string>()
    const look = (member: TrustedMember, isConnected: boolean): boolean => {
      if (mayServe(member, self) && hasAddress(registry, member.publicKey, isConnected)) {
        counted.add(peerIdText(member.publicKey))
      }
      return counted.size >= cachedPeersWanted
    }
    for (const { member } of trust.members()) if (look(member, true)) return counted.size
    const now = this.#now()
    if (now < this.#lookAt) return Math.max(counted.size, this.#others)
    for (const member of registry.replica.state.members()) if (look(member, false)) break
    this.#others = counted.size
    this.#lookAt = now + pauseMsPerMember * registry.replica.state.memberCount
    return counted.size
  }
}

const mayServe = ({ publicKey, role }: TrustedMember, self: Uint8Array): boolean =>
  role !== 'root' && servesRegistry(role) && !equals(publicKey, self)

function hasAddress(registry: NetworkNode['registry'], publicKey: Uint8Array, isConnected: boolean): boolean {
  const { lastAddress, lastConnectedMs } = registry.liveness.view(publicKey)
  if (!isConnected && lastConnectedMs === undefined) return false
  return lastAddress !== undefined || (registry.records.read(publicKey)?.addrs.length ?? 0) > 0
}
