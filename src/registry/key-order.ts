import { keyId } from './liveness/observation.ts'

/** Public keys in ascending order, so that pages over them survive what comes and goes between two pages. */
export class KeyOrder {
  readonly #ids: string[]

  constructor(publicKeys: Iterable<Uint8Array> = []) {
    this.#ids = [...new Set([...publicKeys].map(keyId))].toSorted()
  }

  get size(): number {
    return this.#ids.length
  }

  add(publicKey: Uint8Array): void {
    const id = keyId(publicKey)
    const index = this.#firstFrom(id)
    if (this.#ids[index] !== id) this.#ids.splice(index, 0, id)
  }

  delete(publicKey: Uint8Array): void {
    const id = keyId(publicKey)
    const index = this.#firstFrom(id)
    if (this.#ids[index] === id) this.#ids.splice(index, 1)
  }

  /** Keys above `after`, ascending. */
  after(after: Uint8Array | undefined, limit: number): Uint8Array[] {
    const id = after === undefined ? '' : keyId(after)
    const from = this.#firstFrom(id)
    const start = id !== '' && this.#ids[from] === id ? from + 1 : from
    return this.#ids.slice(start, start + limit).map((each) => Uint8Array.from(Buffer.from(each, 'hex')))
  }

  #firstFrom(id: string): number {
    let low = 0
    let high = this.#ids.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ids[middle] ?? '') < id) low = middle + 1
      else high = middle
    }
    return low
  }
}
