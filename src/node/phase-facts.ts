import { peerIdText } from '../registry/keys.ts'
import { type Role, servesRegistry } from '../registry/role.ts'
import type { NetworkNode } from './network-node.ts'
import type { PhaseFacts } from './phases.ts'

const nothing: PhaseFacts = { member: false, session: false, replica: false, mesh: 0, sources: 0, cachedPeers: 0 }

/** What the phases are judged by, looked up now. */
export function phaseFacts(role: Role, self: Uint8Array, network: NetworkNode | undefined): PhaseFacts {
  if (network === undefined) return nothing
  const { registry, trust } = network
  const sources = new Set<string>()
  for (const { member } of trust.members()) if (servesRegistry(member.role)) sources.add(peerIdText(member.publicKey))
  return {
    member: network.isMember(),
    session: role === 'root' || network.session !== undefined,
    replica: registry.replica.checkpoint !== undefined && network.caughtUp,
    mesh: network.mesh,
    sources: sources.size,
    cachedPeers: cachedPeers(network, self, sources)
  }
}

/** Members besides the root that a restart could ask: connected now, or connected before at an address that is stored. */
function cachedPeers({ registry }: NetworkNode, self: Uint8Array, connected: ReadonlySet<string>): number {
  let count = 0
  for (const { publicKey, role } of registry.replica.state.members()) {
    if (role === 'root' || !servesRegistry(role) || Buffer.compare(publicKey, self) === 0) continue
    const { lastAddress, lastConnectedMs } = registry.liveness.view(publicKey)
    const hasAddress = lastAddress !== undefined || (registry.records.read(publicKey)?.addrs.length ?? 0) > 0
    const answered = connected.has(peerIdText(publicKey)) || lastConnectedMs !== undefined
    if (hasAddress && answered) count++
  }
  return count
}
