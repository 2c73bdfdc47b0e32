import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import { isRegistryRole } from '../../identity/role.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Resolvers } from '../resolve/resolvers.ts'
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
  resolvers: Resolvers
}

/** The address book of a member: records, what resolvers find, and what dials have shown. */
export class MemberAddresses implements AddressBook {
  readonly #init: MemberAddressesInit

  constructor(init: MemberAddressesInit) {
    this.#init = init
  }

  targets(more: boolean): PeerTarget[] {
    const { registry, self, isMember } = this.#init
    return isMember() ? memberTargets(registry, self, more) : []
  }

  async findMore({ publicKey, addrs }: PeerTarget, signal: AbortSignal): Promise<readonly string[]> {
    for await (const group of this.#init.resolvers.resolve(publicKey, signal)) {
      const more = group.map(({ multiaddr }) => multiaddr).filter((address) => !addrs.includes(address))
      if (more.length > 0) return more
    }
    return []
  }

  connected(publicKey: Uint8Array, address: string): void {
    this.#init.registry.liveness.notes.connected(publicKey, address)
  }

  failed(publicKey: Uint8Array, error: string): void {
    this.#init.registry.liveness.notes.failed(publicKey, error)
  }
}
