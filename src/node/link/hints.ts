import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import { Gcra } from '../../protocols/engine/rate-limiter.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'

/** Address on a link from which a packet came: link-local, with the interface. */
export interface LinkSource {
  readonly address: string
  readonly zone: string
}

interface Hint {
  readonly source: string
  heardAt: number
  tries: number
  notBefore: number
  /** Member that proved itself there. */
  peerId: string | undefined
}

/** Longer than it takes to hear the next answer to a question. */
const ageMs = 300_000
const retry = { initialMs: 30_000, maxMs: 600_000 }
type HintLimits = Pick<ProtocolLimits['link'], 'dials' | 'dialsOfPeer' | 'hints' | 'hintsOfPeer'>

/** Addresses on links where somebody may be. Everything in it is hearsay. */
export class Hints {
  readonly #clock: Clock
  readonly #limits: HintLimits
  /** By multiaddr, in the order of their coming. */
  readonly #hints = new Map<string, Hint>()
  readonly #dials: Gcra
  readonly #ofSource: Gcra
  #dialled = 0

  constructor(clock: Clock, limits: HintLimits) {
    this.#clock = clock
    this.#limits = limits
    this.#dials = new Gcra(limits.dials, { clock })
    this.#ofSource = new Gcra(limits.dialsOfPeer, { clock, maxKeys: limits.hints })
  }

  get size(): number {
    return this.#hints.size
  }

  /** Dials that were allowed since the start. */
  get dialled(): number {
    return this.#dialled
  }

  /** false: there is no room for it. One that was dialled in vain gives way, or a second one of a member that proved itself; none that waits for its dial. */
  add({ address, zone }: LinkSource, port: number): boolean {
    const multiaddr = `/ip6zone/${zone}/ip6/${address}/tcp/${port}`
    const now = this.#clock.monotonic()
    const known = this.#hints.get(multiaddr)
    if (known !== undefined) {
      known.heardAt = now
      return true
    }
    this.#forgetOld(now)
    const source = nameOf({ address, zone })
    const ofSource = this.#of(source)
    const hasAll = ofSource.length >= this.#limits.hintsOfPeer
    const isFull = hasAll || this.#hints.size >= this.#limits.hints
    if (isFull && !this.#giveWay(hasAll ? ofSource : [...this.#hints])) return false
    this.#hints.set(multiaddr, { source, heardAt: now, tries: 0, notBefore: now, peerId: undefined })
    return true
  }

  /** True: this machine has named as many as are kept of one. A link may just have many members. */
  hasAll(source: LinkSource): boolean {
    return this.#of(nameOf(source)).length >= this.#limits.hintsOfPeer
  }

  /** Multiaddrs to dial now, those that were never tried first; none of a member that is connected. */
  take(most: number, isConnected: (peerId: string) => boolean): string[] {
    const now = this.#clock.monotonic()
    this.#forgetOld(now)
    const due = [...this.#hints].filter(
      ([, { notBefore, peerId }]) => notBefore <= now && (peerId === undefined || !isConnected(peerId))
    )
    const taken: string[] = []
    for (const [multiaddr, hint] of due.toSorted(([, a], [, b]) => a.tries - b.tries)) {
      if (taken.length >= most || this.#dials.peek('') > 0) break
      if (this.#ofSource.take(hint.source) > 0) continue
      this.#dials.take('')
      hint.notBefore = now + Math.min(retry.maxMs, retry.initialMs * 2 ** hint.tries)
      hint.tries++
      taken.push(multiaddr)
    }
    this.#dialled += taken.length
    return taken
  }

  /** Somebody proved itself there: this member, where it is known. */
  proven(multiaddr: string, peerId?: string): void {
    const hint = this.#hints.get(multiaddr)
    if (hint === undefined) return
    hint.peerId = peerId ?? hint.peerId
    hint.tries = 0
    hint.notBefore = this.#clock.monotonic()
  }

  #of(source: string): [string, Hint][] {
    return [...this.#hints].filter(([, hint]) => hint.source === source)
  }

  #giveWay(among: readonly [string, Hint][]): boolean {
    const members = among.map(([, { peerId }]) => peerId)
    const [given] =
      among.find(([, { tries, peerId }]) => tries > 0 && peerId === undefined) ??
      among.find(([, { peerId }], at) => peerId !== undefined && members.indexOf(peerId) < at) ??
      []
    return given !== undefined && this.#hints.delete(given)
  }

  #forgetOld(now: number): void {
    for (const [multiaddr, { heardAt }] of this.#hints) if (now - heardAt > ageMs) this.#hints.delete(multiaddr)
  }
}

const nameOf = ({ address, zone }: LinkSource): string => `${address}%${zone}`
