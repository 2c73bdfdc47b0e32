import { keyId, ownBytes } from '../../identity/key-id.ts'
import type { RecordStore } from '../../registry/objects/record-additions.ts'

/** A version of a store that members name in their records. Whose it is its manifest says. */
export interface Offer {
  readonly name: string
  readonly digest: Uint8Array
  /** Keys of the members that have blocks of it, or fetch them. */
  readonly holders: ReadonlyMap<string, Uint8Array>
}

interface Held extends Offer {
  readonly holders: Map<string, Uint8Array>
}

/** Stores that the members of the network name in their records. */
export class Offers {
  readonly #byDigest = new Map<string, Held>()
  /** Digests that each member names now. */
  readonly #byMember = new Map<string, string[]>()

  /** Takes what the newest record of a member names. Gives true when that is something else than before. */
  note(publicKey: Uint8Array, stores: readonly RecordStore[] = []): boolean {
    const member = keyId(publicKey)
    const before = this.#byMember.get(member) ?? []
    const now = stores.map(({ digest }) => keyId(digest))
    if (before.join() === now.join()) return false
    for (const digest of before) this.#leave(digest, member)
    if (now.length === 0) this.#byMember.delete(member)
    else this.#byMember.set(member, now)
    for (const store of stores) this.#enter(store, member, publicKey)
    return true
  }

  #leave(digest: string, member: string): void {
    const offer = this.#byDigest.get(digest)
    offer?.holders.delete(member)
    if (offer?.holders.size === 0) this.#byDigest.delete(digest)
  }

  #enter({ name, digest }: RecordStore, member: string, publicKey: Uint8Array): void {
    const held = this.#byDigest.get(keyId(digest))
    const offer = held ?? { name, digest: ownBytes(digest), holders: new Map<string, Uint8Array>() }
    offer.holders.set(member, ownBytes(publicKey))
    this.#byDigest.set(keyId(digest), offer)
  }

  all(): Iterable<Offer> {
    return this.#byDigest.values()
  }

  /** Members that name the version with this manifest. */
  holders(digest: Uint8Array): Uint8Array[] {
    return [...(this.#byDigest.get(keyId(digest))?.holders.values() ?? [])]
  }
}
