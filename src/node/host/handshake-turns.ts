import type { MultiaddrConnection } from '@libp2p/interface'
import { prefixText } from '../../address/prefix.ts'
import type { Culprits } from '../../protocols/engine/culprits.ts'
import { Gcra, type Rate } from '../../protocols/engine/rate-limiter.ts'

/** Handshakes from where no member is known: each takes some 5 ms of a core. */
export const strangerHandshakes: Rate = { count: 50, perMs: 1_000 }
/** Number of a network that may wait before it is named: whoever is honest comes once. */
const mostWaiting = 64

interface Waiting {
  readonly net: string
  readonly site: string
  readonly go: () => void
}

/**
 * Turns for the handshakes of strangers, before the first key is calculated: so many a second, each of a /32 that is drawn by lot and in it
 * of a /48, so that who has many prefixes waits for itself. The lot, not the order: who floods from thousands of /32s has those that
 * waited longest cut, and whoever comes late must have a chance, too. Those from a known /64 do not wait.
 */
export class HandshakeTurns {
  readonly #rate: Gcra
  readonly #culprits: Culprits | undefined
  readonly #random: () => number
  /** By /32 and /48. Bounded by the handshakes that go on at a time. */
  readonly #nets = new Map<string, Map<string, Set<Waiting>>>()
  #goesOn = false

  constructor(culprits?: Culprits, rate = strangerHandshakes, random: () => number = Math.random) {
    this.#culprits = culprits
    this.#random = random
    this.#rate = new Gcra(rate)
  }

  /** Calls `go` at the turn of the connection from this /64, or never when it is closed before. */
  wait(prefix: string, connection: Pick<MultiaddrConnection, 'addEventListener'>, go: () => void): void {
    if (this.#nets.size === 0 && this.#rate.take('') === 0) {
      go()
      return
    }
    const waiting: Waiting = { net: prefix.slice(0, 8), site: prefix.slice(0, 12), go }
    const sites = this.#nets.get(waiting.net) ?? new Map<string, Set<Waiting>>()
    this.#nets.set(waiting.net, sites)
    sites.set(waiting.site, (sites.get(waiting.site) ?? new Set()).add(waiting))
    connection.addEventListener('close', () => this.#remove(waiting), { once: true })
    this.#nameCrowd(waiting, sites)
    this.#goOnLater()
  }

  #nameCrowd({ net, site }: Waiting, sites: ReadonlyMap<string, ReadonlySet<Waiting>>): void {
    const isCrowd = (sites.get(site)?.size ?? 0) > mostWaiting
    let others = 0
    for (const { size } of sites.values()) if (size <= mostWaiting) others += size
    if (!isCrowd && others <= mostWaiting) return
    this.#culprits?.exceeded('limits.handshakes', { address: isCrowd ? prefixText(site, 48) : prefixText(net, 32) })
  }

  #remove(waiting: Waiting): void {
    const { net, site } = waiting
    const sites = this.#nets.get(net)
    const ofSite = sites?.get(site)
    ofSite?.delete(waiting)
    if (ofSite?.size === 0) sites?.delete(site)
    if (sites?.size === 0) this.#nets.delete(net)
  }

  #goOnLater(): void {
    if (this.#goesOn) return
    this.#goesOn = true
    setTimeout(() => this.#goOn(), Math.max(1, this.#rate.peek(''))).unref()
  }

  #goOn(): void {
    this.#goesOn = false
    while (this.#nets.size > 0 && this.#rate.take('') === 0) this.#next()?.go()
    if (this.#nets.size > 0) this.#goOnLater()
  }

  #next(): Waiting | undefined {
    const [waiting] = this.#drawn(this.#drawn(this.#nets)) ?? []
    if (waiting !== undefined) this.#remove(waiting)
    return waiting
  }

  #drawn<T>(of: ReadonlyMap<string, T> | undefined): T | undefined {
    return [...(of?.values() ?? [])][Math.floor(this.#random() * (of?.size ?? 0))]
  }
}
