import type { LogRow, LogView } from '../../api/control-api.ts'
import { byId, inputById, make, numberCell, row, say } from './dom.ts'
import { ask } from './feed.ts'
import { isFound, nameOf, timeText } from './words.ts'

const pageRows = 1000
/** Entries that are read at once; a search goes through all that were read. */
const firstRows = 2000
const shownRows = 1000

const searchTextOf = ({ n, epoch, kind, subject, by, detail }: LogRow): string =>
  [`v${n}`, n, `epoch ${epoch}`, kind, subject === null ? '' : `${nameOf(subject)} ${subject.peerId}`, ...by, detail]
    .join(' ')
    .toLowerCase()

const rowOf = ({ n, timeMs, kind, subject, by, detail }: LogRow): HTMLElement =>
  row(
    numberCell(String(n)),
    make('td', 'number', timeText(timeMs)),
    kind,
    subject === null ? '' : nameOf(subject),
    by.join(', '),
    detail
  )

/** The log of the network, newest first, with a search. Older entries are read when they are asked for. */
export class LogTab {
  /** Newest first. */
  #rows: LogRow[] = []
  /** Entries up to this one are not read yet; undefined: nothing is. */
  #before: number | undefined
  #reading: Promise<void> = Promise.resolve()

  constructor() {
    inputById('log-search').addEventListener('input', () => this.#draw())
    byId('log-more').addEventListener('click', () => {
      this.#reading = this.#reading.then(() => this.#readOlder()).catch(showFailure)
    })
  }

  /** Reads what is new up to that head of the log. */
  async refresh(head: number): Promise<void> {
    this.#reading = this.#reading.then(() => this.#readNewer(head)).catch(showFailure)
    await this.#reading
  }

  async #readNewer(head: number): Promise<void> {
    this.#before ??= Math.max(0, head - firstRows)
    const entries = await entriesAfter(this.#rows[0]?.n ?? this.#before)
    this.#rows = [...entries.toReversed(), ...this.#rows]
    this.#draw()
  }

  async #readOlder(): Promise<void> {
    const before = this.#before ?? 0
    const from = Math.max(0, before - firstRows)
    const entries = await entriesAfter(from, before)
    this.#rows.push(...entries.toReversed())
    this.#before = from
    this.#draw()
  }

  #draw(): void {
    const search = inputById('log-search').value.trim()
    const found = search === '' ? this.#rows : this.#rows.filter((each) => isFound(searchTextOf(each), search))
    byId('log').replaceChildren(...found.slice(0, shownRows).map(rowOf))
    const shown = found.length > shownRows ? `, the newest ${shownRows} shown` : ''
    say(byId('log-note'), `${found.length} of the newest ${this.#rows.length} entries${shown}`)
    byId('log-more').hidden = (this.#before ?? 0) === 0
  }
}

/** Live entries behind that one, up to another. */
const entriesAfter = async (first: number, last = Number.POSITIVE_INFINITY): Promise<LogRow[]> => {
  const all: LogRow[] = []
  for (let after: number | null = first; after !== null && after < last; ) {
    const view: LogView = await ask(`/log?after=${after}&limit=${pageRows}`)
    all.push(...view.entries.filter(({ n }) => n <= last))
    after = view.next
  }
  return all
}

const showFailure = (error: unknown): void => {
  byId('log-note').textContent = error instanceof Error ? error.message : String(error)
}
