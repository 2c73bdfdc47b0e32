import { equals } from 'uint8arrays/equals'
import { plainBytes } from '../../identity/key-id.ts'
import { orAborted } from '../../runtime/abort.ts'
import { LimitError, NotFoundError } from '../../runtime/errors.ts'
import type { Ledger } from '../log/ledger.ts'
import { loadPages } from '../log/load.ts'
import { NetworkState } from '../log/state/network-state.ts'
import type { LogRow } from '../store/log-rows.ts'

/** Live entries that a past state is made of at most: more would hold the process for seconds. */
const mostEntries = 100_000
const pageRows = 1000

/** Reads the state of the network as it was at an earlier entry, from the verified log. */
export class PastStates {
  readonly #ledger: Ledger
  readonly #most: number
  /** One state at a time: each takes as much memory as the present one. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(ledger: Ledger, most = mostEntries) {
    this.#ledger = ledger
    this.#most = most
  }

  /** Entry of which everything that was live is still there; undefined: compaction took nothing. */
  get floor(): number {
    return this.#ledger.floor
  }

  /** The newest entry at that time. @throws NotFoundError before there was any */
  positionAt(timeMs: number): number {
    const n = this.#ledger.table.newestBefore(this.#ledger.head.n, timeMs + 1)
    if (n !== undefined) return n
    const since = new Date(this.#ledger.genesis.value.createdMs).toISOString()
    throw new NotFoundError(`there was no network yet: it was made at ${since}`)
  }

  /**
   * Gives what `take` makes of the state after entry `n`. A signal that fires ends the wait for the turn, and the reading.
   * @throws NotFoundError for what the log has not, or no more; LimitError
   */
  read<T>(n: number, take: (state: NetworkState, row: LogRow) => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    const done = this.#turn.then(async () => {
      signal?.throwIfAborted()
      const row = this.#rowOf(n)
      const state = n === this.#ledger.head.n ? this.#ledger.state : await this.#load(row, signal)
      return await take(state, row)
    })
    this.#turn = done.catch(() => {})
    return orAborted(done, signal)
  }

  async #load(row: LogRow, signal: AbortSignal | undefined): Promise<NetworkState> {
    const { genesis, source, table } = this.#ledger
    const state = new NetworkState(genesis, source)
    let entries = 0
    await loadPages(state, (afterN) => {
      signal?.throwIfAborted()
      const page = table.livePage(afterN, row.n, pageRows)
      entries += page.length
      if (entries > this.#most)
        throw new LimitError(`more than ${this.#most} entries were live at ${row.n}: that is too many`)
      return page
    })
    state.finishLoad({ epoch: row.epoch, n: row.n, hash: plainBytes(row.hash) })
    // Meanwhile the log may have been compacted, or replaced.
    if (!equals(this.#rowOf(row.n).hash, row.hash)) throw goneError(this.#ledger, row.n)
    return state
  }

  #rowOf(n: number): LogRow {
    const { head, floor, table } = this.#ledger
    if (n > head.n) throw new NotFoundError(`the log that is held here ends at entry ${head.n}`)
    const row = n < floor ? undefined : table.get(n)
    if (row === undefined) throw goneError(this.#ledger, n)
    return row
  }
}

const goneError = ({ floor, table, head }: Ledger, n: number): NotFoundError => {
  const [first] = table.page(floor, 1)
  const from = first === undefined ? `entry ${head.n}` : `entry ${first.n} of ${new Date(first.timeMs).toISOString()}`
  return new NotFoundError(
    `what was at entry ${n} is not held here any more: entries whose place was taken are dropped after 14 days, ` +
      `and a member that comes later gets no more; the past begins with ${from}. An older backup has more: \`trustnet registry diff FILE\``
  )
}
