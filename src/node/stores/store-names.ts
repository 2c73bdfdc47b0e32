import { equals } from 'uint8arrays/equals'
import { peerIdText } from '../../identity/keys.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Config } from '../config/schema.ts'

/** Place of a store: its owner, and the name that it has there. */
export interface StoreRef {
  readonly owner: Uint8Array
  readonly name: string
}

type Replica = Pick<Registry, 'replica'>

/** A store for people: `alice/music`. */
export const storeText = ({ replica }: Replica, { owner, name }: StoreRef): string =>
  `${replica.state.member(owner)?.name ?? peerIdText(owner)}/${name}`

/** Rotations that are followed: a member may have made as many as it likes. */
const mostRotations = 8

/** The key that took the place of a member's by rotations; undefined: none did. */
export function successorOf({ replica }: Replica, publicKey: Uint8Array): Uint8Array | undefined {
  let successor: Uint8Array | undefined
  for (let rotations = 0; rotations < mostRotations; rotations++) {
    const row = replica.state.revoked(successor ?? publicKey)
    const entry = row === undefined ? undefined : replica.ledger.source(row.n).value
    if (entry?.kind !== 'rotate') break
    successor = entry.body.newKey
  }
  return successor
}

/**
 * The way in which a configuration names a store: with its owner, or by its name alone, by which one store of that name is meant; undefined:
 * it does not name it.
 */
export function namedBy(
  fetch: Config['stores']['fetch'],
  { replica }: Replica,
  { owner, name }: StoreRef
): 'owner' | 'name' | undefined {
  if (fetch === 'all') return 'owner'
  if (fetch === 'none') return undefined
  const isOwner = (text: string): boolean => {
    const member = replica.state.memberByName(text)
    return text === peerIdText(owner) || (member !== undefined && equals(member.publicKey, owner))
  }
  const isExact = fetch.some((each) => {
    const [first = '', second] = each.split('/')
    return second !== undefined && (second === '*' || second === name) && isOwner(first)
  })
  if (isExact) return 'owner'
  return fetch.includes(name) ? 'name' : undefined
}

/** Tells whether a store of this name may be wanted, before it is known whose it is. */
export const mayBeNamed = (fetch: Config['stores']['fetch'], name: string): boolean =>
  fetch === 'all' ||
  (fetch !== 'none' && fetch.some((each) => each === name || each.endsWith(`/${name}`) || each.endsWith('/*')))
