import { peerIdText } from '../registry/keys.ts'
import type { Registry } from '../registry/registry.ts'
import { isRegistryRole, servesRegistry } from '../registry/role.ts'
import type { KnownCandidate } from './candidates.ts'
import type { PeerTarget } from './peer-keeper.ts'

/** Members with an address that may answer: those that left, or that only dial out themselves, are not dialled. */
export function memberTargets(registry: Registry, self: Uint8Array): PeerTarget[] {
  const targets: PeerTarget[] = []
  for (const { publicKey, role } of registry.replica.state.members()) {
    if (Buffer.compare(publicKey, self) === 0 || !registry.replica.isMember(publicKey)) continue
    const record = registry.records.read(publicKey)
    if (record === undefined || record.left || record.reach === 'outbound' || record.addrs.length === 0) continue
    if (registry.liveness.view(publicKey).state === 'left') continue
    targets.push({ publicKey, addrs: record.addrs, isRegistry: isRegistryRole(role) })
  }
  return targets
}

/** The same as candidates for a registry: root and secondaries, then members that serve the log, those that answered last first. */
export function cachedCandidates(registry: Registry, self: Uint8Array): KnownCandidate[] {
  const found: { rank: number; lastMs: number; candidates: KnownCandidate[] }[] = []
  for (const { publicKey, role } of registry.replica.state.members()) {
    if (Buffer.compare(publicKey, self) === 0 || !servesRegistry(role) || registry.replica.state.isRevoked(publicKey))
      continue
    const record = registry.records.read(publicKey)
    const { lastAddress, lastConnectedMs = 0, reputation } = registry.liveness.view(publicKey)
    const addresses = new Set([...(lastAddress === undefined ? [] : [lastAddress]), ...(record?.addrs ?? [])])
    if (addresses.size === 0 || record?.reach === 'outbound') continue
    const peerIds = [peerIdText(publicKey)]
    found.push({
      rank: isRegistryRole(role) ? 0 : 1,
      lastMs: lastConnectedMs + reputation,
      candidates: [...addresses].map((multiaddr) => ({ multiaddr, peerIds, source: 'cache' }))
    })
  }
  found.sort((a, b) => a.rank - b.rank || b.lastMs - a.lastMs)
  return found.flatMap(({ candidates }) => candidates)
}
