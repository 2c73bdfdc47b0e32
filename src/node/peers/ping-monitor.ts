import { randomBytes } from 'node:crypto'
import type { Connection } from '@libp2p/interface'
import { PING_PROTOCOL } from '@libp2p/ping'
import { byteStream } from '@libp2p/utils'
import { isRegistryRole } from '../../identity/role.ts'
import type { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import { within } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'
import { sleep } from '../../runtime/sleep.ts'
import type { Supervisor } from '../../runtime/supervisor.ts'
import { isTimeout } from '../errors.ts'

export interface PingMonitorInit {
  trust: ConnectionTrust
  /** A connection that answered before and has not for so long carries nothing any more. */
  silentMs: number
  /** Bytes that came from a peer so far, on all connections. */
  received: (peerId: string) => number
  /** The connection carries nothing any more. */
  onSilent: (connection: Connection) => void
  /** Connections that are pinged in one round, `mostConnections` by default. */
  sample?: number
}

const everyMs = 15_000
const timeoutMs = 3_000
const pingBytes = 32
/** Connections pinged in one round, in turns when there are more: a registry with thousands of sessions has their heartbeats. */
const mostConnections = 64

/** Result of the last ping: how long it took, when one was last answered, and since when all are (monotonic). */
interface Measured {
  /** undefined: the last ping was not answered. */
  ms: number | undefined
  at: number
  since: number
  /** When a ping was answered, or anything else came while one was not. */
  aliveAt: number
}

/**
 * Round-trip times of the connections to members, measured now and then. The ping service of libp2p chooses among several connections to a
 * peer; here the question is whether this one still carries anything.
 */
export class PingMonitor {
  readonly #init: PingMonitorInit
  /** By PeerId. */
  readonly #answers = new Map<string, Map<Connection, Measured>>()
  readonly #pings = new Map<Connection, Promise<void>>()
  readonly #over = new AbortController()
  readonly #stops: (() => void)[] = []
  /** Index of the next among those that are sampled. */
  #turn = 0

  constructor(init: PingMonitorInit) {
    this.#init = init
  }

  start(services: Supervisor): void {
    const { trust } = this.#init
    const pinging = services.run('pings', { everyMs, round: () => this.#measureAll() })
    this.#stops.push(
      () => inBackground(pinging.stop(), 'ending the pings'),
      trust.onMutual((connection) => {
        if (this.#answers.size + this.#pings.size < this.#sample)
          inBackground(this.#measure(connection), 'pinging a member')
      }),
      trust.onGone((connection) => this.#forget(connection))
    )
  }

  stop(): void {
    for (const stop of this.#stops) stop()
    this.#over.abort()
  }

  /** Pings connected members side by side, at any moment within this time: one was lost, and nobody else says any more how they are. */
  async look(withinMs: number, lost: Connection): Promise<void> {
    const { signal } = this.#over
    await sleep(Math.random() * withinMs, signal).catch(() => {})
    if (!signal.aborted) await Promise.all([this.doubt(lost), this.#measureAll()])
  }

  /**
   * Something that was asked on it went unanswered. When a ping is not answered either, and nothing else comes, it is given up: a new
   * connection is there sooner than TCP tries again on one that was cut.
   */
  async doubt(connection: Connection): Promise<void> {
    // A ping that has begun before has only a part of the time left.
    await this.#pings.get(connection)
    if (this.#over.signal.aborted || connection.status !== 'open') return
    const begunAt = performance.now()
    const before = this.#init.received(idOf(connection))
    await this.#measure(connection)
    if (this.#over.signal.aborted || connection.status !== 'open' || !this.isSilent(connection)) return
    if (!this.#isBusy(connection, before, begunAt)) this.giveUp(connection)
  }

  /** Pings it, joining a ping that has begun. */
  async ask(connection: Connection): Promise<void> {
    if (!this.#over.signal.aborted && connection.status === 'open') await this.#measure(connection)
  }

  /** When a ping on it was last answered; on the monotonic clock, ms. undefined: none was sent yet. */
  answeredAt(connection: Connection): number | undefined {
    return this.#of(connection)?.at
  }

  /** Its last ping was not answered. */
  isSilent(connection: Connection): boolean {
    const answer = this.#of(connection)
    return answer !== undefined && answer.ms === undefined
  }

  /** Time for which every ping on it has been answered, ms; 0 also when none was sent. */
  answeringForMs(connection: Connection): number {
    const answer = this.#of(connection)
    return answer?.ms === undefined ? 0 : performance.now() - answer.since
  }

  /** ms; undefined: not connected, not measured yet, or the last pings were not answered. */
  of(peerId: string): number | undefined {
    return this.#newest(peerId)?.ms
  }

  /** Since it answered, ms; undefined as for `of`. */
  answeredAgeMs(peerId: string): number | undefined {
    const answer = this.#newest(peerId)
    return answer === undefined ? undefined : performance.now() - answer.at
  }

  #of(connection: Connection): Measured | undefined {
    return this.#answers.get(idOf(connection))?.get(connection)
  }

  #newest(peerId: string): Measured | undefined {
    let newest: Measured | undefined
    for (const answer of this.#answers.get(peerId)?.values() ?? []) {
      if (answer.ms !== undefined && (newest === undefined || answer.at > newest.at)) newest = answer
    }
    return newest
  }

  get #sample(): number {
    return this.#init.sample ?? mostConnections
  }

  /** Those that were silent and the registries first: nobody is lost for having been slow once. Of the others some, in turns. */
  async #measureAll(): Promise<void> {
    const first: Connection[] = []
    const others: Connection[] = []
    for (const { connection, member } of this.#init.trust.members()) {
      if (isRegistryRole(member.role) || this.isSilent(connection)) first.push(connection)
      else others.push(connection)
    }
    const sampled = inTurn(others, this.#turn, Math.max(Math.ceil(this.#sample / 4), this.#sample - first.length))
    this.#turn += sampled.length
    const chosen = [...first, ...sampled]
    await Promise.all(chosen.map(async (connection) => await this.#measure(connection)))
  }

  async #measure(connection: Connection): Promise<void> {
    const running = this.#pings.get(connection) ?? this.#ping(connection)
    this.#pings.set(connection, running)
    await running
    this.#pings.delete(connection)
  }

  async #ping(connection: Connection): Promise<void> {
    const begunAt = performance.now()
    const before = this.#init.received(idOf(connection))
    try {
      const ms = await roundTripMs(connection, within(timeoutMs, this.#over.signal))
      const now = performance.now()
      const last = this.#of(connection)
      this.#keep(connection, { ms, at: now, since: last?.ms === undefined ? now : last.since, aliveAt: now })
    } catch (error) {
      // One that is reset was answered, by somebody who does not take us for a member yet.
      if (isTimeout(error) && connection.status === 'open')
        this.#unanswered(connection, this.#isBusy(connection, before, begunAt))
    }
  }

  /**
   * Tells whether something came since then: on a connection that is full of something else an answer is late. What came may have come on
   * another one that answers.
   */
  #isBusy(connection: Connection, before: number, begunAt: number): boolean {
    const id = idOf(connection)
    const answered = this.#newest(id)
    return this.#init.received(id) !== before && !(answered !== undefined && answered.at > begunAt)
  }

  /** Notes that a ping was not answered. The member's registry says whether it is up; a connection that carries nothing is in the way. */
  #unanswered(connection: Connection, isBusy: boolean): void {
    const now = performance.now()
    const last = this.#of(connection)
    const aliveAt = isBusy ? now : (last?.aliveAt ?? now)
    this.#keep(connection, { ms: undefined, at: last?.at ?? now, since: now, aliveAt })
    if (now - aliveAt >= this.#init.silentMs && !this.#over.signal.aborted) this.giveUp(connection)
  }

  #keep(connection: Connection, measured: Measured): void {
    if (connection.status !== 'open') return
    const id = idOf(connection)
    const answers = this.#answers.get(id) ?? new Map<Connection, Measured>()
    this.#answers.set(id, answers.set(connection, measured))
  }

  #forget(connection: Connection): void {
    const id = idOf(connection)
    const answers = this.#answers.get(id)
    answers?.delete(connection)
    if (answers?.size === 0) this.#answers.delete(id)
  }

  /** Has it closed: it carries nothing any more. */
  giveUp(connection: Connection): void {
    this.#forget(connection)
    this.#init.onSilent(connection)
  }
}

/** Takes `most` of them from there on, around the end. */
export const inTurn = <T>(all: readonly T[], from: number, most: number): T[] => {
  const start = all.length === 0 ? 0 : from % all.length
  return [...all.slice(start), ...all.slice(0, start)].slice(0, most)
}

const idOf = ({ remotePeer }: Connection): string => remotePeer.toString()

/** One round trip on exactly this connection, ms. */
export const roundTripMs = async (connection: Connection, signal: AbortSignal): Promise<number> => {
  const stream = await connection.newStream(PING_PROTOCOL, { signal })
  try {
    const bytes = byteStream(stream)
    const sentAt = performance.now()
    const sent = randomBytes(pingBytes)
    await bytes.write(sent, { signal })
    const answer = await bytes.read({ bytes: pingBytes, signal })
    const ms = performance.now() - sentAt
    if (!sent.equals(answer.subarray())) throw new InvalidPayloadError('the ping was answered with other bytes')
    await stream.close({ signal })
    return ms
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)))
    throw error
  }
}
