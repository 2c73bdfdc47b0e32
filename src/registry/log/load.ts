import { setImmediate as nextTurn } from 'node:timers/promises'
import { equals } from 'uint8arrays/equals'
import { reasonOf } from '../../runtime/error-message.ts'
import { DamagedStoreError, LogMismatchError, type StoreError } from '../../runtime/errors.ts'
import { type Checkpoint, openCheckpoint } from '../objects/checkpoint.ts'
import type { LogEntry } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'
import type { Genesis } from '../objects/genesis.ts'
import type { LogItem, StoredRow } from '../store/log-rows.ts'
import type { LogTable } from '../store/log-table.ts'
import { genesisRow } from './log-rows.ts'
import { type EnforcedKeys, type EntrySource, NetworkState } from './state/network-state.ts'
import { readStoredEntry } from './state/stored-entry.ts'

/** Rows between two turns of the event loop. */
const pageRows = 1000

export interface LoadInit {
  table: LogTable
  genesis: Signed<Genesis>
  source: EntrySource
  enforced: EnforcedKeys
}

export interface LoadedLog {
  state: NetworkState
  checkpoint: Signed<Checkpoint> | undefined
  floor: number
}

/** @throws LogMismatchError unless the checkpoint is of the epoch's log key and says what the state says */
export function requireMatch(checkpoint: Signed<Checkpoint>, state: NetworkState): void {
  const { epoch, n, headHash, stateRoot, rows, bytes } = checkpoint.value
  if (epoch !== state.head.epoch || !state.keys.isKeyOf(epoch, checkpoint.signer)) {
    throw new LogMismatchError(`the checkpoint at ${n} is not signed by the log key of epoch ${state.head.epoch}`)
  }
  if (n !== state.head.n || !equals(headHash, state.head.hash)) {
    throw new LogMismatchError(`the checkpoint is of entry ${n}, the log ends with another at ${state.head.n}`)
  }
  if (!equals(stateRoot, state.root()) || rows !== state.rows || bytes !== state.bytes) {
    throw new LogMismatchError(`the state at entry ${n} is not the one that the checkpoint commits to`)
  }
}

/**
 * Makes the state of what is stored, and checks all of it: each entry's hash, the chain wherever two entries stand together, and the
 * state root of the newest checkpoint. Signatures were verified before the entries were stored.
 *
 * @throws StoreError when anything does not fit: the file was edited or is damaged
 */
export async function loadLog(init: LoadInit): Promise<LoadedLog> {
  try {
    return await new Loader(init).load()
  } catch (error) {
    throw damagedLog(error)
  }
}

/** The error for a stored log that does not fit. */
export function damagedLog(error: unknown): StoreError {
  const why = reasonOf(error)
  return new DamagedStoreError(
    `the stored log is damaged (${why}): a root restores its newest backup, any other node fetches its replica anew`,
    { cause: error }
  )
}

class Loader {
  readonly #init: LoadInit
  readonly #state: NetworkState
  readonly #checkpoint: Signed<Checkpoint> | undefined
  readonly #floor: number
  /** Position up to which the compacted log is loaded; what follows is applied. Without a checkpoint nothing does. */
  readonly #atN: number
  #isLoaded = false

  constructor(init: LoadInit) {
    const { table, genesis, source, enforced } = init
    const stored = table.checkpoint()
    this.#init = init
    this.#state = new NetworkState(genesis, source, enforced)
    this.#floor = stored?.floor ?? 0
    this.#checkpoint = stored?.envelope == null ? undefined : openCheckpoint(stored.envelope, genesis.hash)
    this.#atN = this.#checkpoint?.value.n ?? Number.POSITIVE_INFINITY
  }

  async load(): Promise<LoadedLog> {
    const { table, genesis } = this.#init
    let before: StoredRow = genesisRow(genesis)
    for (;;) {
      const page = table.checkPage(before.n, pageRows)
      for (const row of page) {
        this.#take(row, before)
        before = row
      }
      if (page.length < pageRows) break
      await nextTurn()
    }
    if (!this.#isLoaded) this.#finish(before)
    return { state: this.#state, checkpoint: this.#checkpoint, floor: this.#floor }
  }

  #take(row: StoredRow, before: StoredRow): void {
    const entry = readStoredEntry(row.envelope)
    this.#checkRow(entry, row, before)
    if (row.n > this.#atN) {
      if (!this.#isLoaded) this.#finish(before)
      this.#state.check(entry, undefined)
      this.#state.apply(entry)
    } else if (row.superseded === null || row.superseded > this.#atN) {
      this.#state.load(entry)
    }
  }

  #checkRow(entry: Signed<LogEntry>, row: StoredRow, before: StoredRow): void {
    if (entry.value.n !== row.n || !equals(entry.hash, row.hash)) {
      throw new LogMismatchError(`entry ${row.n} was changed`)
    }
    const isNext = row.n === before.n + 1
    if (!isNext && row.n - 1 > this.#floor) throw new LogMismatchError(`entries before ${row.n} are missing`)
    if (isNext && !equals(entry.value.prevHash, before.hash)) {
      throw new LogMismatchError(`entry ${row.n} does not follow from the one before`)
    }
  }

  /** `last`: the row up to which everything is loaded. */
  #finish(last: StoredRow): void {
    this.#isLoaded = true
    if (this.#checkpoint === undefined) {
      this.#state.finishLoad({ epoch: last.epoch, n: last.n, hash: last.hash })
      return
    }
    const { epoch, n, headHash } = this.#checkpoint.value
    this.#state.finishLoad({ epoch, n, hash: headHash })
    requireMatch(this.#checkpoint, this.#state)
  }
}

/** The state as it was at an earlier position that is not compacted yet. @throws LogMismatchError */
export async function loadStateAt(init: LoadInit, n: number, hash: Uint8Array): Promise<NetworkState> {
  const { table, genesis, source, enforced } = init
  const state = new NetworkState(genesis, source, enforced)
  await loadPages(state, (afterN) => table.livePage(afterN, n, pageRows))
  state.finishLoad({ epoch: state.head.epoch, n, hash })
  return state
}

/** Loads pages of a compacted log behind the genesis, with turns of the event loop in between. @throws LogMismatchError */
export async function loadPages(state: NetworkState, next: (afterN: number) => LogItem[]): Promise<void> {
  for (let afterN = 0; ; ) {
    const page = next(afterN)
    for (const { n, envelope } of page) {
      state.load(readStoredEntry(envelope))
      afterN = n
    }
    if (page.length < pageRows) return
    await nextTurn()
  }
}
