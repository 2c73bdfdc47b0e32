import { equals } from 'uint8arrays/equals'
import type { Named } from './member.ts'
import type { Hint } from './observation.ts'

export interface Speakers {
  /** Own key: the source of what is observed here. */
  readonly self: Uint8Array
  /** Roots and secondaries: all other registries follow them, so their pulses never end while they are there. Default: nobody. */
  readonly isRegistry?: (publicKey: Uint8Array) => boolean
  /** The registry that a member's own signed record names to speak for it. Default: nothing is known. */
  readonly namedBy?: (publicKey: Uint8Array) => Named | undefined
}

/**
 * Tells whether a hint counts that came from `carrier`. A hint is not signed, so both its source and its carrier must be entitled. The source
 * speaks for the member when it is the member itself, the registry that the member's own signed record names, or a registry of the
 * network. The carrier is the source, a registry of the network, or the member that holds the lease of this node in place of one.
 */
export function isEntitled({ publicKey, source }: Hint, carrier: Uint8Array, who: Speakers): boolean {
  const holds = (member: Uint8Array, key: Uint8Array): boolean => {
    const holder = who.namedBy?.(member)?.holder
    return holder !== undefined && equals(holder, key)
  }
  const isRegistry = (key: Uint8Array): boolean => who.isRegistry?.(key) === true
  const speaks = equals(source, publicKey) || isRegistry(source) || holds(publicKey, source)
  return speaks && (equals(carrier, source) || isRegistry(carrier) || holds(who.self, carrier))
}
