import { keyId } from '../../src/identity/key-id.ts'
import type { Hint, Lease } from '../../src/registry/liveness/liveness.ts'
import { isUp, Liveness } from '../../src/registry/liveness/liveness.ts'
import type { Named } from '../../src/registry/liveness/member.ts'
import { FakeClock } from '../helpers/observations.ts'
import { instanceOf, keyNumber } from '../helpers/registry/liveness.ts'
import type { Random } from './random.ts'

const stepMs = 100
const pingMs = 1_000
const pongMs = 1_500
/** A node gives a registry up that it has not heard for so long. */
const giveUpMs = 3_000
const registryCount = 3
const memberCount = 6

/** One member of the simulated network: its own view, its lease, and whom it follows. */
class Peer {
  readonly key: Uint8Array
  readonly liveness: Liveness
  readonly records = new Map<string, Named>()
  /** Where it stands in the changes of those whom it follows. */
  readonly positions = new Map<Peer, number>()
  seq = 0
  holder: Peer | undefined
  lease: Lease | undefined
  heardAt = 0
  pingedAt = 0
  unanswered = 0

  constructor(number: number, clock: FakeClock) {
    this.key = keyNumber(number)
    this.liveness = new Liveness({
      network: {
        self: this.key,
        isMember: () => true,
        isRegistry: (key) => (key[3] ?? 0) < registryCount,
        namedBy: (key) => this.records.get(keyId(key))
      },
      clock
    })
  }

  put(key: Uint8Array, named: Named): void {
    if ((this.records.get(keyId(key))?.seq ?? 0) >= named.seq) return
    this.records.set(keyId(key), named)
    this.liveness.recorded(key, named)
  }
}

/**
 * A network of the pure core alone: registries and members with sessions, pings, records, subscriptions and pulses on one clock, over
 * links that are cut and healed. Time passes in `pass`; one seed is one run.
 */
export class LivenessNetwork {
  readonly peers: Peer[]
  readonly #clock = new FakeClock()
  readonly #random: Random
  /** Links that carry nothing, each for one direction. */
  #cut = new Set<string>()

  constructor(random: Random) {
    this.#random = random
    this.peers = Array.from({ length: registryCount + memberCount }, (_, number) => new Peer(number, this.#clock))
  }

  get registries(): Peer[] {
    return this.peers.slice(0, registryCount)
  }

  cut(from: readonly Peer[], to: readonly Peer[]): void {
    for (const a of from) for (const b of to) this.#cut.add(linkOf(a, b))
  }

  heal(): void {
    this.#cut = new Set()
  }

  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += stepMs) this.#step()
  }

  /** Members of `whom` that somebody of `by` shows as up. */
  up(by: readonly Peer[], whom: readonly Peer[]): string[] {
    return by.flatMap((observer) =>
      whom
        .filter((peer) => peer !== observer && isUp(observer.liveness.view(peer.key).state))
        .map((peer) => `${observer.key[3]} shows ${peer.key[3]}`)
    )
  }

  #step(): void {
    this.#clock.advance(stepMs)
    for (const peer of this.peers) {
      this.#hold(peer)
      if (this.#clock.monotonic() % 1_000 === 0) peer.liveness.tick()
    }
    for (const follower of this.#shuffled(this.peers)) {
      for (const carrier of this.#followed(follower)) this.#follow(follower, carrier)
    }
  }

  #hold(peer: Peer): void {
    const now = this.#clock.monotonic()
    const { holder, lease } = peer
    if (holder === undefined || lease === undefined) {
      const free = this.registries.filter(
        (each) => each !== peer && this.#carries(peer, each) && this.#carries(each, peer)
      )
      if (free.length > 0) this.#enter(peer, this.#random.pick(free))
      return
    }
    if (this.#carries(peer, holder) && this.#carries(holder, peer)) {
      peer.heardAt = now
      peer.unanswered = 0
      if (now - peer.pingedAt < pingMs) return
      peer.pingedAt = now
      lease.beat()
      lease.probeAnswered(1)
    } else if (now - peer.heardAt >= pongMs * (peer.unanswered + 1)) {
      peer.unanswered++
      lease.probeUnanswered()
    }
    if (now - peer.heardAt < giveUpMs) return
    peer.liveness.sourceGone(holder.key, 'the registry says nothing')
    peer.holder = undefined
    // The other side may hear that much later, or never.
    if (this.#carries(peer, holder)) lease.lost()
  }

  #enter(peer: Peer, holder: Peer): void {
    peer.seq++
    const named = { seq: peer.seq, holder: holder.key }
    peer.put(peer.key, named)
    peer.lease = holder.liveness.open(peer.key, instanceOf(peer.key[3] ?? 0))
    holder.put(peer.key, named)
    peer.lease.beat()
    peer.holder = holder
    peer.heardAt = this.#clock.monotonic()
    peer.unanswered = 0
    peer.liveness.sourceUp(holder.key)
  }

  #followed(peer: Peer): Peer[] {
    if (this.registries.includes(peer)) return this.registries.filter((each) => each !== peer)
    return peer.holder === undefined ? [] : [peer.holder]
  }

  /** Records and hints travel on the same way; one that was cut begins anew. A hint may come twice. */
  #follow(follower: Peer, carrier: Peer): void {
    if (!this.#carries(carrier, follower) || !this.#carries(follower, carrier)) {
      follower.positions.delete(carrier)
      return
    }
    for (const [id, named] of carrier.records) follower.put(Buffer.from(id, 'latin1'), named)
    const { hints, change } = carrier.liveness.hintsAfter(follower.positions.get(carrier) ?? 0, 1_000)
    follower.positions.set(carrier, change)
    const told = hints.filter(({ source }) => !Buffer.from(source).equals(follower.key))
    const twice: Hint[] = this.#random.chance(0.1) ? [...told, ...told] : told
    for (const hint of this.#shuffled(twice)) follower.liveness.hear(hint, carrier.key)
  }

  #shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, place: this.#random.next() }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ item }) => item)
  }

  #carries(from: Peer, to: Peer): boolean {
    return !this.#cut.has(linkOf(from, to))
  }
}

const linkOf = (from: Peer, to: Peer): string => `${keyId(from.key)} ${keyId(to.key)}`
