import type { PeerId } from '@libp2p/interface'
import type { Ping } from '@libp2p/ping'
import type { ConnectionTrust } from '../protocols/engine/trust.ts'
import { sleep } from './sleep.ts'

export interface RoundTripsInit {
  trust: ConnectionTrust
  ping: Ping
  /** A peer that answered before and has not for so long is frozen or cut off: its connections are closed. */
  silentMs: number
  /** Bytes that came from a peer so far. */
  received: (peerId: string) => number
  onSilent: (peerId: string) => void
}

const everyMs = 15_000
const timeoutMs = 3_000
/** More connections than these are sampled: a registry with thousands of sessions has their heartbeats. */
const mostPeers = 64

/** How long the last ping took, and when one was last answered (monotonic). */
interface Measured {
  /** undefined: the last ping was not answered. */
  ms: number | undefined
  at: number
}

/** Round-trip times to connected members, measured now and then. */
export class RoundTrips {
  readonly #init: RoundTripsInit
  readonly #answers = new Map<string, Measured>()
  readonly #doubted = new Set<string>()
  readonly #over = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #stopListening: (() => void) | undefined

  constructor(init: RoundTripsInit) {
    this.#init = init
  }

  start(): void {
    this.#timer = setInterval(() => void this.#measureAll(), everyMs).unref()
    this.#stopListening = this.#init.trust.onMember((connection) => {
      if (this.#answers.size < mostPeers) void this.#measure(connection.remotePeer)
    })
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#stopListening?.()
    this.#over.abort()
  }

  /** Pings all connected members side by side, at any moment within this time: nobody else says any more how they are. */
  async look(withinMs: number): Promise<void> {
    const { signal } = this.#over
    await sleep(Math.random() * withinMs, signal).catch(() => {})
    if (!signal.aborted)
      await Promise.all([...this.#peers().values()].slice(0, mostPeers).map(async (peer) => await this.#measure(peer)))
  }

  /**
   * Something that was asked of a peer went unanswered. When nothing answers a ping either, and nothing else comes, its connections carry
   * nothing any more and are closed: a new one is there sooner than TCP tries again on one that was cut.
   */
  async doubt(peer: PeerId): Promise<void> {
    const id = peer.toString()
    if (this.#doubted.has(id) || !this.#peers().has(id)) return
    this.#doubted.add(id)
    const before = this.#init.received(id)
    await this.#measure(peer)
    this.#doubted.delete(id)
    if (this.#over.signal.aborted || !this.isSilent(id) || this.#init.received(id) > before) return
    this.#giveUp(id)
  }

  /** Its last ping was not answered. */
  isSilent(peerId: string): boolean {
    const answer = this.#answers.get(peerId)
    return answer !== undefined && answer.ms === undefined
  }

  /** ms; undefined: not connected, not measured yet, or the last ping was not answered. */
  of(peerId: string): number | undefined {
    return this.#answers.get(peerId)?.ms
  }

  /** Since it answered, ms; undefined as for `of`. */
  answeredAgeMs(peerId: string): number | undefined {
    const answer = this.#answers.get(peerId)
    return answer?.ms === undefined ? undefined : performance.now() - answer.at
  }

  #peers(): Map<string, PeerId> {
    return new Map(
      [...this.#init.trust.members()].map(({ connection }) => [connection.remotePeer.toString(), connection.remotePeer])
    )
  }

  async #measureAll(): Promise<void> {
    const peers = this.#peers()
    for (const id of this.#answers.keys()) if (!peers.has(id)) this.#answers.delete(id)
    await Promise.all([...peers.values()].slice(0, mostPeers).map(async (peer) => await this.#measure(peer)))
  }

  async #measure(peer: PeerId): Promise<void> {
    try {
      const signal = AbortSignal.any([this.#over.signal, AbortSignal.timeout(timeoutMs)])
      const ms = await this.#init.ping.ping(peer, { signal })
      this.#answers.set(peer.toString(), { ms, at: performance.now() })
    } catch {
      this.#unanswered(peer.toString())
    }
  }

  /** Whether it is up is for its registry to say; a connection that carries nothing is only in the way. */
  #unanswered(peerId: string): void {
    const now = performance.now()
    const last = this.#answers.get(peerId) ?? { ms: undefined, at: now }
    this.#answers.set(peerId, { ms: undefined, at: last.at })
    if (now - last.at >= this.#init.silentMs && !this.#over.signal.aborted) this.#giveUp(peerId)
  }

  #giveUp(peerId: string): void {
    this.#answers.delete(peerId)
    this.#init.onSilent(peerId)
  }
}
