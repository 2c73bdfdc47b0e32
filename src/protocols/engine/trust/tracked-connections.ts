import type { Connection } from '@libp2p/interface'
import type { Role } from '../../../identity/role.ts'

/** The facts about a member that its connection's trust needs. */
export interface TrustedMember {
  readonly publicKey: Uint8Array
  readonly name: string
  readonly role: Role
}

/**
 * young: its hello is due, and it is nobody's yet; stranger: it showed no membership; waiting: a stranger whose join waits;
 * member: proven.
 */
export type Phase = 'young' | 'stranger' | 'waiting' | 'member'

/** A connection with all that it has shown. */
export interface TrackedConnection {
  readonly connection: Connection
  /** On the monotonic clock. */
  readonly openedAt: number
  readonly settled: PromiseWithResolvers<void>
  phase: Phase
  /** It showed a good invite. */
  spared: boolean
  /** It was told for good that it gets nothing here: no stream of it is taken any more. */
  refused: boolean
  /** Its key was revoked before it came: it has hello alone, and ends by itself. */
  readonly isBarred: boolean
  /** The replica has had it as a member. */
  confirmed: boolean
  /** It takes us for a member, too. */
  mutual: boolean
  member?: TrustedMember
  provenAt?: number
  deadline?: NodeJS.Timeout
}

/** Open connections by id, counted by phase. */
export class TrackedConnections {
  readonly #tracked = new Map<string, TrackedConnection>()
  readonly #counts: Record<Phase, number> = { young: 0, stranger: 0, waiting: 0, member: 0 }

  count(phase: Phase): number {
    return this.#counts[phase]
  }

  has({ id }: Connection): boolean {
    return this.#tracked.has(id)
  }

  get({ id }: Connection): TrackedConnection | undefined {
    return this.#tracked.get(id)
  }

  values(): IterableIterator<TrackedConnection> {
    return this.#tracked.values()
  }

  /** Connections of a phase that others opened to us. */
  *inbound(phase: Phase): Generator<TrackedConnection> {
    for (const entry of this.#tracked.values()) {
      if (entry.phase === phase && entry.connection.direction === 'inbound') yield entry
    }
  }

  /** Adds a connection whose hello is due. */
  add(connection: Connection, openedAt: number, isBarred: boolean): TrackedConnection {
    const entry: TrackedConnection = {
      connection,
      openedAt,
      settled: Promise.withResolvers<void>(),
      phase: 'young',
      spared: false,
      refused: false,
      isBarred,
      confirmed: false,
      mutual: false
    }
    this.#tracked.set(connection.id, entry)
    this.#counts.young++
    return entry
  }

  enter(entry: TrackedConnection, phase: Phase): void {
    this.#counts[entry.phase]--
    this.#counts[phase]++
    entry.phase = phase
  }

  /** Calls `expire` after so many ms, in place of what was due before. */
  setDeadline(entry: TrackedConnection, ms: number, expire: () => void): void {
    clearTimeout(entry.deadline)
    entry.deadline = setTimeout(expire, ms)
    entry.deadline.unref()
  }

  /** Stops its deadline. false: it is not here any more. Whoever waits for its verdict goes on waiting until the caller settles it. */
  remove(entry: TrackedConnection): boolean {
    if (this.#tracked.get(entry.connection.id) !== entry) return false
    this.#tracked.delete(entry.connection.id)
    clearTimeout(entry.deadline)
    this.#counts[entry.phase]--
    return true
  }
}
