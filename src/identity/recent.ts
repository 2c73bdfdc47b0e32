/** Values by key, of which at least the latest `limit / 2` and at most `limit` are kept: what is used again moves up, the rest goes. */
export class Recent<V> {
  readonly #limit: number
  #young = new Map<string, V>()
  #old = new Map<string, V>()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The value of the key; made when it is not there. */
  get(key: string, make: () => V): V {
    const found = this.#young.get(key)
    if (found !== undefined) return found
    const value = this.#old.get(key) ?? make()
    if (this.#young.size >= this.#limit / 2) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
    return value
  }
}
