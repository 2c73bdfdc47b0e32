import { equals } from 'uint8arrays/equals'
import { peerIdText } from '../../identity/keys.ts'
import { isRegistryRole, servesRegistry } from '../../identity/role.ts'
import type { Registry } from '../../registry/registry.ts'
import type { KnownCandidate } from './resolver.ts'

/** As many as a race takes, and some that turn out to have no address. */
const mostRead = 64

/** Addresses in the log and the records: root and secondaries, then members that serve the log, those that answered last first. */
export function cachedCandidates(registry: Registry, self: Uint8Array): KnownCandidate[] {
  const found: { publicKey: Uint8Array; rank: number; lastMs: number; lastAddress: string | undefined }[] = []
  for (const { publicKey, role } of registry.replica.state.members()) {
    if (equals(publicKey, self) || !servesRegistry(role) || registry.replica.state.isRevoked(publicKey)) continue
    const { lastAddress, lastConnectedMs = 0, reputation } = registry.liveness.view(publicKey)
    found.push({ publicKey, rank: isRegistryRole(role) ? 0 : 1, lastMs: lastConnectedMs + reputation, lastAddress })
  }
  found.sort((a, b) => a.rank - b.rank || b.lastMs - a.lastMs)
  const candidates: KnownCandidate[] = []
  for (const { publicKey, lastAddress } of found) {
    // Reading all records of a large network for the few that are dialled would hold everything up.
    if (candidates.length >= mostRead) break
    const record = registry.records.read(publicKey)
    if (record?.reach === 'outbound') continue
    const addresses = new Set([...(lastAddress === undefined ? [] : [lastAddress]), ...(record?.addrs ?? [])])
    const peerIds = [peerIdText(publicKey)]
    for (const multiaddr of addresses) candidates.push({ multiaddr, peerIds, source: 'cache' })
  }
  return candidates
}
