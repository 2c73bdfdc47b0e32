import { NotFoundError } from '@libp2p/interface'
import type { KadDHTComponents } from '@libp2p/kad-dht'

type Datastore = KadDHTComponents['datastore']
type Key = Parameters<Datastore['get']>[0]
/** All that is used of a key. */
interface KeyText {
  toString(): string
}

interface Pair {
  key: Key
  value: Uint8Array
}

/** kad-dht puts values under /dht/record and provider records, which nothing here uses, under /dht/provider. */
const valuePrefix = '/dht/record/'

/**
 * Store in which kad-dht keeps the values of others: in memory, bounded, and values only. A member that floods provider records fills nothing.
 * Values are hints with an owner who puts them again, so losing them with the process costs nothing.
 */
export class ValueStore implements Datastore {
  readonly #max: number
  readonly #values = new Map<string, Uint8Array>()

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#values.size
  }

  put<K extends KeyText>(key: K, value: Uint8Array): K {
    const name = key.toString()
    if (!name.startsWith(valuePrefix)) return key
    // The value put longest ago makes room: its owner has put it again elsewhere, or is gone.
    this.#values.delete(name)
    const oldest = this.#values.keys().next()
    if (this.#values.size >= this.#max && !oldest.done) this.#values.delete(oldest.value)
    this.#values.set(name, value)
    return key
  }

  get(key: KeyText): Uint8Array {
    const value = this.#values.get(key.toString())
    if (value === undefined) throw new NotFoundError(`No value under ${key.toString()}.`)
    return value
  }

  has(key: KeyText): boolean {
    return this.#values.has(key.toString())
  }

  delete(key: KeyText): void {
    this.#values.delete(key.toString())
  }

  async *putMany(source: AsyncIterable<Pair> | Iterable<Pair>): AsyncGenerator<Key> {
    for await (const { key, value } of source) yield this.put(key, value)
  }

  async *getMany(source: AsyncIterable<Key> | Iterable<Key>): AsyncGenerator<Pair> {
    for await (const key of source) yield { key, value: this.get(key) }
  }

  async *deleteMany(source: AsyncIterable<Key> | Iterable<Key>): AsyncGenerator<Key> {
    for await (const key of source) {
      this.delete(key)
      yield key
    }
  }

  /** Only provider records are ever listed, and there are none. */
  *query(): Generator<Pair> {}

  *queryKeys(): Generator<Key> {}

  batch(): ReturnType<Datastore['batch']> {
    const steps: (() => void)[] = []
    return {
      put: (key, value) => steps.push(() => this.put(key, value)),
      delete: (key) => steps.push(() => this.delete(key)),
      commit: async () => {
        for (const step of steps.splice(0)) step()
      }
    }
  }
}
