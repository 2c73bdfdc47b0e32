import { at, byteAt } from '../../identity/bytes.ts'
import { keyId } from '../../identity/key-id.ts'

/** Keys are spread evenly by their first byte, so that one that comes or goes moves few others. */
const groups = 256

/** Public keys in ascending order, so that pages over them survive what comes and goes between two pages. */
export class KeyOrder {
  /** As texts of one character a byte, which order as the bytes do. */
  readonly #groups: string[][] = Array.from({ length: groups }, () => [])
  #size = 0

  constructor(publicKeys: Iterable<Uint8Array> = []) {
    for (const publicKey of publicKeys) this.#groupOf(publicKey).push(keyId(publicKey))
    for (const [first, ids] of this.#groups.entries()) {
      const unique = [...new Set(ids)].toSorted()
      this.#groups[first] = unique
      this.#size += unique.length
    }
  }

  get size(): number {
    return this.#size
  }

  add(publicKey: Uint8Array): void {
    const id = keyId(publicKey)
    const ids = this.#groupOf(publicKey)
    const index = firstFrom(ids, id)
    if (ids[index] === id) return
    ids.splice(index, 0, id)
    this.#size++
  }

  delete(publicKey: Uint8Array): void {
    const id = keyId(publicKey)
    const ids = this.#groupOf(publicKey)
    const index = firstFrom(ids, id)
    if (ids[index] !== id) return
    ids.splice(index, 1)
    this.#size--
  }

  /** Keys above `after`, ascending. */
  after(after: Uint8Array | undefined, limit: number): Uint8Array[] {
    const id = after === undefined ? '' : keyId(after)
    const keys: Uint8Array[] = []
    for (let group = after?.[0] ?? 0; group < groups && keys.length < limit; group++) {
      const ids = at(this.#groups, group)
      let index = firstFrom(ids, id)
      if (ids[index] === id) index++
      for (; index < ids.length && keys.length < limit; index++) keys.push(keyOf(at(ids, index)))
    }
    return keys
  }

  #groupOf(publicKey: Uint8Array): string[] {
    return at(this.#groups, byteAt(publicKey, 0))
  }
}

function keyOf(id: string): Uint8Array {
  const key = new Uint8Array(id.length)
  for (let i = 0; i < id.length; i++) key[i] = id.charCodeAt(i)
  return key
}

/** Place where the id stands, or would. */
function firstFrom(ids: readonly string[], id: string): number {
  let low = 0
  let high = ids.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (at(ids, middle) < id) low = middle + 1
    else high = middle
  }
  return low
}
