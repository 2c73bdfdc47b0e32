import { equals } from 'uint8arrays/equals'
import { plainBytes } from '../../../identity/key-id.ts'
import { openCheckpoint } from '../../objects/checkpoint.ts'
import type { LogItem } from '../../store/log-rows.ts'
import type { Draft, Ledger } from '../ledger.ts'
import { requireMatch } from '../load.ts'
import { readPages } from '../read-pages.ts'
import type { Head } from '../state/network-state.ts'
import { readStoredEntry } from '../state/stored-entry.ts'
import type { LogCommit } from './log-commit.ts'
import {
  HeadMovedError,
  LeaseLostError,
  type LogBatch,
  type RootLease,
  type RootLog,
  type RootLogStart,
  type RootLogState
} from './root-log.ts'

const key = 'root-lease'
const leaseMs = 3000
/** Holder of the lease of a root whose log is in its own store, which no other process can open. */
const owner = 'owner'
/** Bytes of one page of entries. */
const pageBytes = 1024 * 1024

interface StoredLease extends RootLease {
  /** By the clock of this machine, ms since 1970. */
  readonly untilMs: number
}

/** The log in the store of the root itself: lease, entries, checkpoint and effects are one transaction. */
export class SqliteRootLog implements RootLog, LogCommit {
  readonly isShared = false
  readonly refusal = undefined
  readonly #ledger: Ledger
  /** Lease of the root that has this store, as it is stored. */
  #held: Uint8Array | undefined

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  async commit<T>(work: (draft: Draft) => T, effects: (draft: Draft, result: T, isAgain: boolean) => void): Promise<T> {
    let held = this.#held
    const result = await this.#ledger.commit((draft) => {
      held = this.#requireHeld(held)
      const made = work(draft)
      effects(draft, made, false)
      return made
    })
    this.#held = held
    return result
  }

  /** The store is this process's alone: whoever had the lease before is gone. */
  #requireHeld(held: Uint8Array | undefined): Uint8Array {
    const { meta } = this.#ledger
    const stored = meta.get(key)
    if (held === undefined) return this.#give(owner, Number.MAX_SAFE_INTEGER)
    if (stored === undefined || !equals(stored, held)) throw new LeaseLostError('another root has begun in this store')
    return held
  }

  async begin(holder: string, { head }: RootLogStart): Promise<RootLease | undefined> {
    return await this.#ledger.write(() => {
      const isBegun = this.#stored() !== undefined || !isSame(head, this.#ledger.head)
      return isBegun ? undefined : leaseIn(this.#give(holder, this.#ledger.clock.now() + leaseMs))
    })
  }

  async acquire(holder: string): Promise<RootLease | undefined> {
    return await this.#ledger.write(() => {
      const stored = this.#stored()
      const nowMs = this.#ledger.clock.now()
      if (stored === undefined || (stored.holder !== holder && stored.untilMs > nowMs)) return undefined
      return leaseIn(this.#give(holder, nowMs + leaseMs))
    })
  }

  async renew(lease: RootLease): Promise<void> {
    await this.#ledger.write(() => {
      this.#require(lease)
      this.#put({ ...lease, untilMs: this.#ledger.clock.now() + leaseMs })
    })
  }

  async release({ holder, term }: RootLease): Promise<void> {
    await this.#ledger.write(() => {
      if (this.#stored()?.term === term) this.#put({ holder, term, untilMs: 0 })
    })
  }

  async state(): Promise<RootLogState | undefined> {
    const { head, checkpoint, clock, floor } = this.#ledger
    const stored = this.#stored()
    if (stored === undefined || checkpoint === undefined) return undefined
    const { holder, term, untilMs } = stored
    const leftMs = Math.max(0, untilMs - clock.now())
    return { head, checkpoint: checkpoint.bytes, firstN: floor + 1, lease: { holder, term, leftMs } }
  }

  async read(afterN: number): Promise<LogItem[]> {
    const items = readPages(afterN, pageBytes, (after, rows) => this.#ledger.table.items(after, rows))
    return items.map(({ n, envelope }) => ({ n, envelope: plainBytes(envelope) }))
  }

  async append(lease: RootLease, { after, entries, checkpoint }: LogBatch): Promise<void> {
    const ledger = this.#ledger
    await ledger.exclusive(() =>
      ledger.commit((draft) => {
        this.#require(lease)
        if (!isSame(after, draft.state.head)) throw new HeadMovedError(`the log ends at ${draft.state.head.n}`)
        for (const { envelope } of entries) {
          const entry = readStoredEntry(envelope)
          draft.state.check(entry, undefined)
          draft.append(entry)
        }
        const signed = openCheckpoint(checkpoint, ledger.genesis.hash)
        requireMatch(signed, draft.state)
        draft.putCheckpoint(signed)
      })
    )
  }

  #stored(): StoredLease | undefined {
    const bytes = this.#ledger.meta.get(key)
    return bytes === undefined ? undefined : leaseIn(bytes)
  }

  #require({ term }: RootLease): void {
    const stored = this.#stored()
    if (stored?.term !== term) throw new LeaseLostError(`term ${term} is over: ${stored?.term ?? 0} is the last one`)
  }

  #give(holder: string, untilMs: number): Uint8Array {
    return this.#put({ holder, term: (this.#stored()?.term ?? 0) + 1, untilMs })
  }

  #put(lease: StoredLease): Uint8Array {
    const bytes = Buffer.from(JSON.stringify(lease))
    this.#ledger.meta.put(key, bytes)
    return bytes
  }
}

const isSame = (one: Head, other: Head): boolean =>
  one.epoch === other.epoch && one.n === other.n && equals(one.hash, other.hash)

const leaseIn = (bytes: Uint8Array): StoredLease => {
  const lease: StoredLease = JSON.parse(Buffer.from(bytes).toString('utf8'))
  return lease
}
