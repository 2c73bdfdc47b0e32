import { sha256 } from '../../identity/hash.ts'

/**
 * Says who of those that fetch the same blocks is the first to have each of them, without a word between them: by the highest of the numbers
 * that a digest makes with each name (rendezvous hashing). So each fetches another part from whoever has all, and the rest from the others.
 * https://en.wikipedia.org/wiki/Rendezvous_hashing
 */
export class Shares {
  readonly #names: readonly { readonly name: number; readonly id: string }[]

  /** PeerIds, in any order. */
  constructor(ids: Iterable<string>) {
    this.#names = [...new Set(ids)].map((id) => ({ name: wordOf(sha256(Buffer.from(id))), id }))
  }

  /** undefined where there is nobody. */
  firstOf(digest: Uint8Array): string | undefined {
    const word = wordOf(digest)
    let first: string | undefined
    let highest = -1
    for (const { name, id } of this.#names) {
      const number = mixed(word ^ name)
      if (number <= highest) continue
      highest = number
      first = id
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
