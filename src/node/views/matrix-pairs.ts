import { publicKeyOf } from '../../identity/keys.ts'
import type { Registry } from '../../registry/registry.ts'
import type { MatrixView } from '../api/control-api.ts'
import type { Connections } from './member-rows.ts'
import { refOf, wholeMs } from './refs.ts'

type Pair = MatrixView['pairs'][number]
type Word = MatrixView['members'][number]['addresses'][number]['words'][number]
type Said = Omit<Pair, 'oneWay'>

/** Knowledge about each ordered pair. A connection of this node is its own word, and newer than a probe. */
export class Pairs {
  readonly #registry: Registry
  readonly #pairs = new Map<string, Said>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Through one address is enough. */
  say(to: string, { prober, failure, ageMs }: Word): void {
    const before = this.#pairs.get(idOf(prober.peerId, to))
    if (before?.reaches === true && failure !== null) return
    this.#put({ from: prober, to: this.#ref(to), reaches: failure === null, says: prober, failure, ageMs })
  }

  /** Live connections: of this node with who dialled, of others as they told their registries. */
  see(own: Uint8Array, connections: Connections): void {
    const self = refOf(this.#registry, own)
    const rest = { says: self, failure: null, ageMs: 0, reaches: true }
    for (const [peerId, live] of connections) {
      const other = this.#ref(peerId)
      for (const { direction } of live) {
        this.#put(direction === 'outbound' ? { from: self, to: other, ...rest } : { from: other, to: self, ...rest })
      }
    }
    for (const { publicKey } of this.#registry.replica.state.members()) {
      const { connected, heardAgeMs } = this.#registry.liveness.view(publicKey)
      const says = refOf(this.#registry, publicKey)
      for (const key of connected) {
        const other = refOf(this.#registry, key)
        const met = {
          says,
          failure: null,
          ageMs: wholeMs(heardAgeMs),
          reaches: null
        }
        for (const [from, to] of [
          [says, other],
          [other, says]
        ] as const) {
          if (!this.#pairs.has(idOf(from.peerId, to.peerId))) this.#put({ from, to, ...met })
        }
      }
    }
  }

  /** Number of failed and one-way pairs that each takes part in, by PeerId. */
  troubles(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const pair of this.#pairs.values()) {
      if (pair.reaches !== false) continue
      const weight = this.#isOneWay(pair) ? 2 : 1
      for (const { peerId } of [pair.from, pair.to]) counts.set(peerId, (counts.get(peerId) ?? 0) + weight)
    }
    return counts
  }

  among(shown: ReadonlySet<string>): Pair[] {
    return this.from(shown).filter(({ to }) => shown.has(to.peerId))
  }

  from(shown: ReadonlySet<string>): Pair[] {
    return [...this.#pairs.values()]
      .filter(({ from }) => shown.has(from.peerId))
      .map((pair) => ({ ...pair, oneWay: this.#isOneWay(pair) }))
  }

  #isOneWay({ from, to, reaches }: Said): boolean {
    const back = this.#pairs.get(idOf(to.peerId, from.peerId))?.reaches
    return reaches !== null && back !== undefined && back !== null && back !== reaches
  }

  #ref(peerId: string): Pair['to'] {
    return { peerId, name: this.#registry.replica.state.member(publicKeyOf(peerId))?.name ?? null }
  }

  #put(pair: Said): void {
    this.#pairs.set(idOf(pair.from.peerId, pair.to.peerId), pair)
  }
}

const idOf = (from: string, to: string): string => `${from} ${to}`
