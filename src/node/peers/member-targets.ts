import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import { isRegistryRole, servesRegistry } from '../../identity/role.ts'
import type { Kad } from '../../protocols/kad/index.ts'
import type { Registry } from '../../registry/registry.ts'
import type { KnownCandidate } from '../bootstrap/candidates.ts'
import type { AddressBook, PeerTarget } from './connector.ts'

/** Number of members that are drawn for one look: a network of more has always some that are not connected. */
const drawn = 64

/**
 * Registries, and where more are wanted some members drawn at random, with an address that may answer: those that left, or that only dial
 * out themselves, are not dialled.
 */
export function memberTargets(registry: Registry, self: Uint8Array, more: boolean): PeerTarget[] {
  const { replica, records, liveness } = registry
  const keys = new Map(replica.state.registries().map(({ publicKey }) => [keyId(publicKey), publicKey]))
  if (more) for (const { publicKey } of records.sample(drawn)) keys.set(keyId(publicKey), publicKey)
  const targets: PeerTarget[] = []
  for (const publicKey of keys.values()) {
    if (equals(publicKey, self) || !replica.isMember(publicKey)) continue
    const record = records.read(publicKey)
    if (record === undefined || record.left || record.reach === 'outbound' || record.addrs.length === 0) continue
    const { state, lastAddress } = liveness.view(publicKey)
    if (state === 'left') continue
    const role = replica.state.member(publicKey)?.role
    const isRegistry = role !== undefined && isRegistryRole(role)
    targets.push({ publicKey, addrs: record.addrs, isRegistry, answered: lastAddress })
  }
  return targets
}

export interface MemberAddressesInit {
  registry: Registry
  self: Uint8Array
  /** Nobody dials for a node that is no member. */
  isMember: () => boolean
  /** Knows records by their key. */
  dht: Kad | undefined
}

/** The address book of a member: records, the DHT, and what dials have shown. */
export class MemberAddresses implements AddressBook {
  readonly #init: MemberAddressesInit

  constructor(init: MemberAddressesInit) {
    this.#init = init
  }

  targets(more: boolean): PeerTarget[] {
    const { registry, self, isMember } = this.#init
    return isMember() ? memberTargets(registry, self, more) : []
  }

  async findMore(publicKey: Uint8Array, signal: AbortSignal): Promise<readonly string[] | undefined> {
    return (await this.#init.dht?.findRecord(publicKey, { signal }))?.value.addrs
  }

  connected(publicKey: Uint8Array, address: string): void {
    this.#init.registry.liveness.connected(publicKey, address)
  }

  failed(publicKey: Uint8Array, error: string): void {
    this.#init.registry.liveness.failed(publicKey, error)
  }
}

/** As many as a race takes, and some that turn out to have no address. */
const maxCandidates = 64

/** The same as candidates for a registry: root and secondaries, then members that serve the log, those that answered last first. */
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
    if (candidates.length >= maxCandidates) break
    const record = registry.records.read(publicKey)
    if (record?.reach === 'outbound') continue
    const addresses = new Set([...(lastAddress === undefined ? [] : [lastAddress]), ...(record?.addrs ?? [])])
    const peerIds = [peerIdText(publicKey)]
    for (const multiaddr of addresses) candidates.push({ multiaddr, peerIds, source: 'cache' })
  }
  return candidates
}
