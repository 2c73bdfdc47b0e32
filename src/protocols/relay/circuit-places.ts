import type { Clock } from '../../runtime/clock-and-logger.ts'
import { LimitError } from '../../runtime/errors.ts'
import type { ProtocolLimits } from '../engine/limits.ts'

/** A circuit that stands, as the one that may have to give way sees it. */
interface Standing {
  /** When the last bytes came on it, on the monotonic clock. */
  readonly movedAt: number
  /** Bytes that came from one end and were not taken by the other. */
  readonly waitingBytes: number
  end(error: Error): void
}

interface PlaceInit {
  readonly source: string
  readonly target: string
  readonly makeRoom: () => void
  readonly free: () => void
}

/** Place of a circuit, free again when it is disposed of. */
export class CircuitPlace implements Disposable {
  /** undefined: it is being opened, and gives way to nobody. */
  circuit: Standing | undefined
  readonly source: string
  readonly #init: PlaceInit

  constructor(init: PlaceInit) {
    this.#init = init
    this.source = init.source
  }

  /** The other end, seen from this one. */
  beside(peer: string): string {
    const { source, target } = this.#init
    return peer === source ? target : source
  }

  /** Has others give way, where they have to: not before its target has taken it. @throws LimitError when nobody has to any more */
  makeRoom(): void {
    this.#init.makeRoom()
  }

  [Symbol.dispose](): void {
    this.#init.free()
  }
}

/**
 * Places for circuits: so many in all, and so many of one member, at whichever end it is. Where there is none, one gives way of the member
 * that has more of them than the newcomer would have, or one on which nothing moves any more.
 */
export class CircuitPlaces {
  readonly #limits: ProtocolLimits['relay']
  readonly #clock: Clock
  /** By PeerId of either end. */
  readonly #ofPeer = new Map<string, Set<CircuitPlace>>()
  readonly #all = new Set<CircuitPlace>()

  constructor(limits: ProtocolLimits['relay'], clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  get size(): number {
    return this.#all.size
  }

  /** That member has as many circuits as it may. */
  isFull(peer: string): boolean {
    return (this.#ofPeer.get(peer)?.size ?? 0) >= this.#limits.circuitsOfPeer
  }

  /** @throws LimitError when there is no place, and nobody has to give way */
  take(source: string, target: string): CircuitPlace {
    this.#inTheWay(source, target)
    const place: CircuitPlace = new CircuitPlace({
      source,
      target,
      makeRoom: () => this.#makeRoom(place, target),
      free: () => this.#free(place, target)
    })
    this.#all.add(place)
    for (const peer of [source, target]) this.#ofPeer.set(peer, (this.#ofPeer.get(peer) ?? new Set()).add(place))
    return place
  }

  /** Ends circuits until what waits in the others is within the limit: always the one that holds most, of the member that does. Gives their places. */
  endOverBudget(): CircuitPlace[] {
    const standing = new Set([...this.#all].filter(({ circuit }) => circuit !== undefined))
    const ended: CircuitPlace[] = []
    for (;;) {
      const held = [...standing].reduce((sum, place) => sum + waitingIn(place), 0)
      const most = held > this.#limits.waitingBytes ? this.#fullest(standing) : undefined
      if (most === undefined) return ended
      standing.delete(most)
      ended.push(most)
      most.circuit?.end(new LimitError('nobody takes what comes on this circuit, and others need the memory'))
    }
  }

  #fullest(standing: ReadonlySet<CircuitPlace>): CircuitPlace | undefined {
    let [most, fullest]: [number, CircuitPlace | undefined] = [0, undefined]
    for (const places of this.#ofPeer.values()) {
      const theirs = [...places].filter((each) => standing.has(each))
      const held = theirs.reduce((sum, place) => sum + waitingIn(place), 0)
      if (held > most) [most, fullest] = [held, theirs.toSorted((a, b) => waitingIn(b) - waitingIn(a))[0]]
    }
    return fullest
  }

  #makeRoom(place: CircuitPlace, target: string): void {
    for (const given of this.#inTheWay(place.source, target, place)) {
      given[Symbol.dispose]()
      given.circuit?.end(new LimitError('others need its place, and its member has most, or does not use it'))
    }
  }

  /** Circuits that give way to one between these. `own`: its place, where it has one. */
  #inTheWay(source: string, target: string, own?: CircuitPlace): CircuitPlace[] {
    const { circuits, circuitsOfPeer } = this.#limits
    const given: CircuitPlace[] = []
    for (const [peer, other] of [
      [source, target],
      [target, source]
    ] as const) {
      const places = [...(this.#ofPeer.get(peer) ?? [])].filter((each) => each !== own)
      if (places.length < circuitsOfPeer) continue
      const first = this.#first(places, other, (each) => each.beside(peer))
      if (first === undefined) throw new LimitError(`${peer} has ${circuitsOfPeer} circuits open here`)
      given.push(first)
    }
    const all = [...this.#all].filter((each) => each !== own)
    if (all.length < circuits || given.length > 0) return given
    const first = this.#first(all, source, (each) => each.source)
    if (first === undefined) throw new LimitError(`${circuits} circuits are open here`)
    return [first]
  }

  /** The circuit that is idle longest of the owner that has most of them, where that is more than the newcomer has then; else one that is still. */
  #first(
    places: readonly CircuitPlace[],
    newcomer: string,
    ownerOf: (place: CircuitPlace) => string
  ): CircuitPlace | undefined {
    const has = places.filter((each) => ownerOf(each) === newcomer).length
    const standing = places.filter(({ circuit }) => circuit !== undefined)
    const [most = []] = [...Map.groupBy(standing, ownerOf).values()].toSorted((a, b) => b.length - a.length)
    if (most.length > has + 1) return idlest(most)
    const since = this.#clock.monotonic() - this.#limits.stillMs
    return idlest(standing.filter((each) => movedAt(each) < since))
  }

  #free(place: CircuitPlace, target: string): void {
    if (!this.#all.delete(place)) return
    for (const peer of [place.source, target]) {
      const places = this.#ofPeer.get(peer)
      places?.delete(place)
      if (places?.size === 0) this.#ofPeer.delete(peer)
    }
  }
}

const movedAt = ({ circuit }: CircuitPlace): number => circuit?.movedAt ?? Number.POSITIVE_INFINITY

const waitingIn = ({ circuit }: CircuitPlace): number => circuit?.waitingBytes ?? 0

const idlest = (places: readonly CircuitPlace[]): CircuitPlace | undefined =>
  places.toSorted((a, b) => movedAt(a) - movedAt(b))[0]
