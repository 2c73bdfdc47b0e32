import { keyId, ownBytes } from '../../identity/key-id.ts'
import type { RecordStore } from '../../registry/objects/record-additions.ts'

/** A member that has blocks of a version, or fetches them, and the names that it gives it. */
interface Holder {
  readonly publicKey: Uint8Array
  readonly names: readonly string[]
}

/** A version of a store that members name in their records. Whose it is, and what it is called, its manifest says. */
export interface Offer {
  readonly digest: Uint8Array
  readonly holders: ReadonlyMap<string, Holder>
}

interface Held extends Offer {
  readonly holders: Map<string, Holder>
}

/** Tells whether somebody gives a version a name that is wanted: the others may call it what they like. */
export const isNamedSo = ({ holders }: Offer, isWanted: (name: string) => boolean): boolean =>
  [...holders.values()].some(({ names }) => names.some(isWanted))

/** Stores that the members of the network name in their records. */
export class Offers {
  readonly #byDigest = new Map<string, Held>()
  /** Stores that each member names now. */
  readonly #byMember = new Map<string, readonly RecordStore[]>()

  /** Takes what the newest record of a member names. Gives true when that is something else than before. */
  note(publicKey: Uint8Array, stores: readonly RecordStore[] = []): boolean {
    const member = keyId(publicKey)
    const before = this.#byMember.get(member) ?? []
    if (textOf(before) === textOf(stores)) return false
    for (const { digest } of before) this.#leave(keyId(digest), member)
    if (stores.length === 0) this.#byMember.delete(member)
    else {
      const own = stores.map(({ name, digest }) => ({ name, digest: ownBytes(digest) }))
      this.#byMember.set(member, own)
    }
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
    const offer = held ?? { digest: ownBytes(digest), holders: new Map<string, Holder>() }
    const names = [...(offer.holders.get(member)?.names ?? []), name]
    offer.holders.set(member, { publicKey: ownBytes(publicKey), names })
    this.#byDigest.set(keyId(digest), offer)
  }

  all(): Iterable<Offer> {
    return this.#byDigest.values()
  }

  /** Members that name the version with this manifest. */
  holders(digest: Uint8Array): Uint8Array[] {
    return [...(this.#byDigest.get(keyId(digest))?.holders.values() ?? [])].map(({ publicKey }) => publicKey)
  }
}

const textOf = (stores: readonly RecordStore[]): string =>
  stores.map(({ name, digest }) => `${name} ${keyId(digest)}`).join()
