import { equals } from 'uint8arrays/equals'
import {
  HeadMovedError,
  LeaseLostError,
  type LogBatch,
  OutcomeUnknownError,
  type RootLease,
  type RootLog,
  type RootLogStart,
  type RootLogState
} from '../../../src/registry/log/root-log/root-log.ts'
import type { Head } from '../../../src/registry/log/state/network-state.ts'
import type { LogItem } from '../../../src/registry/store/log-rows.ts'
import type { Clock } from '../../../src/runtime/clock-and-logger.ts'

/** What becomes of one append and of its answer. */
export type Fate = 'answered' | 'answer lost' | 'request lost' | 'comes late' | 'comes twice'

const leaseMs = 3000
const pageEntries = 3

/** An engine in memory, as the interface describes it, with a network to it that loses, delays and repeats. */
export class ModelRootLog implements RootLog {
  /** Decides over the next append. */
  fate: () => Fate = () => 'answered'
  /** False: an engine that takes whatever comes, whoever sends it. */
  compares = true
  readonly #clock: Clock
  readonly #late: (() => void)[] = []
  #entries: LogItem[] = []
  #start: RootLogStart | undefined
  #lease = { holder: '', term: 0, untilMs: 0 }

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async begin(holder: string, start: RootLogStart): Promise<RootLease | undefined> {
    if (this.#start !== undefined && this.#start.head.epoch >= start.head.epoch) return undefined
    this.#start = start
    this.#entries = []
    return this.#give(holder)
  }

  async acquire(holder: string): Promise<RootLease | undefined> {
    const isFree = this.#lease.untilMs <= this.#clock.now() || this.#lease.holder === holder
    return this.#start === undefined || !isFree ? undefined : this.#give(holder)
  }

  async renew({ term }: RootLease): Promise<void> {
    this.#require(term)
    this.#lease.untilMs = this.#clock.now() + leaseMs
  }

  async release({ term }: RootLease): Promise<void> {
    if (this.#lease.term === term) this.#lease.untilMs = 0
  }

  async state(): Promise<RootLogState | undefined> {
    const start = this.#start
    if (start === undefined) return undefined
    const { holder, term, untilMs } = this.#lease
    const lease = { holder, term, leftMs: Math.max(0, untilMs - this.#clock.now()) }
    return { ...start, firstN: this.#entries[0]?.n ?? start.head.n + 1, lease }
  }

  async read(afterN: number): Promise<LogItem[]> {
    return this.#entries.filter(({ n }) => n > afterN).slice(0, pageEntries)
  }

  async append(lease: RootLease, batch: LogBatch): Promise<void> {
    const fate = this.fate()
    const write = (): void => this.#append(lease, batch)
    if (fate === 'request lost') throw new OutcomeUnknownError('no answer')
    if (fate === 'comes late') {
      this.#late.push(write)
      throw new OutcomeUnknownError('no answer')
    }
    write()
    if (fate === 'comes twice') this.#late.push(write)
    if (fate === 'answer lost') throw new OutcomeUnknownError('no answer')
  }

  /** What was on its way arrives, the newest first. */
  arrive(): void {
    for (const write of this.#late.splice(0).toReversed()) {
      try {
        write()
      } catch {
        // Nobody waits for its answer any more.
      }
    }
  }

  /** Drops all but the newest entries. */
  trim(kept: number): void {
    this.#entries = this.#entries.slice(Math.max(0, this.#entries.length - kept))
  }

  /** Envelopes of its history. */
  get history(): readonly LogItem[] {
    return this.#entries
  }

  #append({ term }: RootLease, { after, entries, head, checkpoint }: LogBatch): void {
    if (this.compares) this.#require(term)
    const now = this.#start?.head
    const fits = now !== undefined && isSame(now, after)
    if (this.compares && !fits) throw new HeadMovedError(`the log ends at ${now?.n}`)
    this.#entries.push(...entries)
    this.#start = { head, checkpoint }
  }

  #require(term: number): void {
    if (this.#lease.term !== term) throw new LeaseLostError(`term ${term} is over`)
  }

  #give(holder: string): RootLease {
    this.#lease = { holder, term: this.#lease.term + 1, untilMs: this.#clock.now() + leaseMs }
    return { holder, term: this.#lease.term }
  }
}

const isSame = (one: Head, other: Head): boolean =>
  one.epoch === other.epoch && one.n === other.n && equals(one.hash, other.hash)
