import { randomInt } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import { keyId } from '../../identity/key-id.ts'
import type { BlockExchange } from '../../protocols/blocks/index.ts'
import { orAborted, within } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { isNamedSo, type Offers } from './offers.ts'
import type { Stores } from './stores.ts'

export interface ManifestFetchesInit {
  stores: Stores
  offers: Offers
  exchange: BlockExchange
  clock: Clock
  /** Members other than this node among the holders of these keys. */
  peers: (keys: readonly Uint8Array[]) => PeerId[]
  /** A manifest came. */
  onManifest: () => void
}

/** Manifests that are asked for at once, and of those the ones that count for the same member: others have places while one is silent. */
const atOnce = 64
const ofMember = 2
/** Members that are asked for one manifest, of those that name it. */
const mostAsked = 16
/** A manifest is one short block: time to connect to who has it, and to be answered. */
const askMs = 15_000
/** Time until a manifest that nobody gave is asked for again. */
const restMs = 60_000

/** Fetches the manifests of the stores that members name. Nobody waits for one that names what it does not give. */
export class ManifestFetches {
  readonly #init: ManifestFetchesInit
  /** Digests that are asked for next. */
  readonly #waiting = new Map<string, Uint8Array>()
  readonly #active = new Map<string, Promise<void>>()
  /** Fetches that count for each member. */
  readonly #load = new Map<string, number>()
  /** Manifests that nobody gave, and until when they are not asked for again. */
  readonly #resting = new Map<string, number>()
  readonly #stopping = new AbortController()

  constructor(init: ManifestFetchesInit) {
    this.#init = init
  }

  /** Asks for those that are offered and not known, of stores with these names. */
  seek(isWanted: (name: string) => boolean): void {
    const { manifests } = this.#init.stores
    this.#forget()
    for (const offer of this.#init.offers.all()) {
      const { digest } = offer
      const isKnown = manifests.get(digest) !== undefined || manifests.isWrong(digest)
      const key = keyId(digest)
      if (!isKnown && !this.#active.has(key) && !this.#rests(key) && isNamedSo(offer, isWanted))
        this.#waiting.set(key, digest)
    }
    this.#begin()
  }

  /** Asks for those again that nobody gave. */
  again(): void {
    this.#resting.clear()
  }

  /** Resolves when all that were sought came or were given up. */
  async idle(): Promise<void> {
    // A failure is told where it was begun.
    while (this.#active.size > 0) await Promise.race(this.#active.values()).catch(() => {})
  }

  /** Resolves with the same, or when none of them has ended for so long. */
  async quiet(ms: number, signal: AbortSignal): Promise<void> {
    while (this.#active.size > 0) {
      const late = within(ms, signal)
      await orAborted(Promise.race(this.#active.values()), late).catch(() => {})
      if (late.aborted) return
    }
  }

  async stop(): Promise<void> {
    this.#waiting.clear()
    this.#stopping.abort(new Error('the node stops'))
    await this.idle()
  }

  /** Forgets what is offered no more: each member offers a few, so this is what bounds it. */
  #forget(): void {
    const offered = new Set([...this.#init.offers.all()].map(({ digest }) => keyId(digest)))
    for (const kept of [this.#waiting, this.#resting])
      for (const key of [...kept.keys()].filter((each) => !offered.has(each))) kept.delete(key)
  }

  #rests(key: string): boolean {
    const untilMs = this.#resting.get(key)
    if (untilMs === undefined) return false
    if (this.#init.clock.monotonic() < untilMs) return true
    this.#resting.delete(key)
    return false
  }

  #begin(): void {
    for (const [key, digest] of this.#waiting) {
      if (this.#active.size >= atOnce || this.#stopping.signal.aborted) return
      const holders = shuffled(this.#init.offers.holders(digest))
      const member = holders.map(keyId).find((each) => (this.#load.get(each) ?? 0) < ofMember)
      if (member === undefined && holders.length > 0) continue
      this.#waiting.delete(key)
      if (member !== undefined) this.#fetch(key, { digest, holders, member })
    }
  }

  #fetch(
    key: string,
    { digest, holders, member }: { digest: Uint8Array; holders: readonly Uint8Array[]; member: string }
  ): void {
    this.#load.set(member, (this.#load.get(member) ?? 0) + 1)
    const work = this.#one(key, digest, holders).finally(() => {
      this.#active.delete(key)
      const left = (this.#load.get(member) ?? 0) - 1
      if (left > 0) this.#load.set(member, left)
      else this.#load.delete(member)
      this.#begin()
    })
    this.#active.set(key, work)
    inBackground(work, 'fetching the manifest of a store')
  }

  async #one(key: string, digest: Uint8Array, holders: readonly Uint8Array[]): Promise<void> {
    const { stores, exchange, clock, peers, offers, onManifest } = this.#init
    const own = await stores.read(digest)
    if (own !== undefined) {
      stores.manifests.take(digest, own)
      return onManifest()
    }
    this.#resting.set(key, clock.monotonic() + restMs)
    // In an order of their own in each try: so many who lack it are no way to have its owner left out.
    const sources = (): PeerId[] => peers([...holders, ...offers.holders(digest)]).slice(0, mostAsked)
    const signal = within(askMs, this.#stopping.signal)
    try {
      for await (const { bytes } of exchange.fetch([digest], { sources, isUrgent: true, signal })) {
        stores.manifests.take(digest, bytes)
        this.#resting.delete(key)
        onManifest()
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: randomInt(2 ** 32) }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
