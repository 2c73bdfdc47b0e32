import { keyId } from '../../../identity/key-id.ts'
import type { NetworkState } from '../state/network-state.ts'

/** Time in which the operator of a new root decides about what became void: so long a void revoke is enforced where it was held. */
const decideMs = 7 * 24 * 3_600_000

/** A void entry that shuts out a key, or ends its membership. */
interface VoidEntry {
  readonly publicKey: Uint8Array
  readonly epoch: number
  /** When the new epoch came. */
  readonly atMs: number
}

/** Keys that count as revoked although the log does not say so (any more): by the authority, or by an entry that a new epoch made void. */
export class EnforcedRevokes implements Iterable<string> {
  readonly #byAuthority = new Set<string>()
  readonly #void = new Map<string, VoidEntry>()

  /** `key`: as keyId gives it. */
  has(key: string): boolean {
    return this.#byAuthority.has(key) || this.#void.has(key)
  }

  *[Symbol.iterator](): Generator<string> {
    yield* this.#byAuthority
    yield* this.#void.keys()
  }

  addByAuthority(publicKey: Uint8Array): void {
    this.#byAuthority.add(keyId(publicKey))
  }

  addVoid(revoke: VoidEntry): void {
    this.#void.set(keyId(revoke.publicKey), revoke)
  }

  /**
   * Ends void revokes of keys that the root of a newer epoch has admitted or made a registry, and those over which nobody decided in
   * time. Gives the keys that are not shut out any more.
   */
  settle(state: NetworkState, nowMs: number): Uint8Array[] {
    const lifted: Uint8Array[] = []
    for (const [key, revoke] of this.#void) {
      if (isUndecided(state, revoke, nowMs)) continue
      this.#void.delete(key)
      if (!this.has(key)) lifted.push(revoke.publicKey)
    }
    return lifted
  }
}

/** True while the operator may decide: until the root of a newer epoch has admitted the key or made it a registry, and no longer than a week. */
export const isUndecided = (state: NetworkState, entry: VoidEntry, nowMs: number): boolean =>
  nowMs - entry.atMs <= decideMs && !isAnswered(state, entry)

function isAnswered(state: NetworkState, { publicKey, epoch }: VoidEntry): boolean {
  const forkN = state.keys.forkPointAfter(epoch)
  if (forkN === undefined) return false
  return (state.member(publicKey)?.admit.value.n ?? 0) > forkN || (state.registry(publicKey)?.n ?? 0) > forkN
}
