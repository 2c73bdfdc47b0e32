import type { Ping } from '@libp2p/ping'
import type { ConnectionTrust } from '../protocols/engine/trust.ts'

export interface RoundTripsInit {
  trust: ConnectionTrust
  ping: Ping
}

const everyMs = 15_000
const timeoutMs = 3_000
/** More connections than these are sampled: a registry with thousands of sessions has their heartbeats. */
const mostPeers = 64

/** An answer to a ping: how long it took, and when (monotonic). */
interface Measured {
  ms: number
  at: number
}

/** Round-trip times to connected members, measured now and then. */
export class RoundTrips {
  readonly #init: RoundTripsInit
  readonly #answers = new Map<string, Measured>()
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

  /** ms; undefined: not connected, not measured yet, or the last ping was not answered. */
  of(peerId: string): number | undefined {
    return this.#answers.get(peerId)?.ms
  }

  /** Since it answered, ms; undefined as for `of`. */
  answeredAgeMs(peerId: string): number | undefined {
    const answer = this.#answers.get(peerId)
    return answer && performance.now() - answer.at
  }

  async #measureAll(): Promise<void> {
    const peers = new Map(
      [...this.#init.trust.members()].map(({ connection }) => [connection.remotePeer.toString(), connection.remotePeer])
    )
    for (const id of this.#answers.keys()) if (!peers.has(id)) this.#answers.delete(id)
    for (const peer of [...peers.values()].slice(0, mostPeers)) await this.#measure(peer)
  }

  async #measure(peer: Parameters<Ping['ping']>[0]): Promise<void> {
    try {
      const signal = AbortSignal.any([this.#over.signal, AbortSignal.timeout(timeoutMs)])
      const ms = await this.#init.ping.ping(peer, { signal })
      this.#answers.set(peer.toString(), { ms, at: performance.now() })
    } catch {
      // A peer that is gone or busy has no time to show; whether it is up is not judged here.
      this.#answers.delete(peer.toString())
    }
  }
}
