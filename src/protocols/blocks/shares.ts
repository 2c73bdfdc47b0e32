import { sha256 } from '../../identity/hash.ts'

/**
 * Says who of those that fetch the same blocks is the first to have each of them, without a word between them: by the highest of the numbers
 * that a digest makes with each name (rendezvous hashing). So each fetches another part from whoever has all, and the rest from the others.
 * https://en.wikipedia.org/wiki/Rendezvous_hashing
 */
export class Shares<T> {
  readonly #names: readonly { readonly name: number; readonly who: T }[]

  /** `ids` are PeerIds, in any order. */
  constructor(all: Iterable<readonly [id: string, who: T]>) {
    this.#names = [...all].map(([id, who]) => ({ name: wordOf(sha256(Buffer.from(id))), who }))
  }

  /** undefined where there is nobody. */
  firstOf(digest: Uint8Array): T | undefined {
    const word = wordOf(digest)
    let first: T | undefined
    let highest = -1
    for (const { name, who } of this.#names) {
      const number = mixed(word ^ name)
      if (number <= highest) continue
      highest = number
      first = who
    }
    return first
  }
}

const wordOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)

/** Each bit of the word changes half of the bits of the result: the end of MurmurHash3. */
function mixed(word: number): number {
  let bits = word
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
