import type { LogRow, LogView } from '../../api/control-api.ts'
import { byId, inputById, make, numberCell, row } from './dom.ts'
import { ask } from './feed.ts'
import { isFound, nameOf, timeText } from './words.ts'

const pageRows = 1000
/** The page asks for no more by itself; the button asks for the next. */
const firstRows = 5000

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

/** The log of the network, newest first, with a search. */
export class LogTab {
  #rows: LogRow[] = []
  #next: number | null = 0
  #reading: Promise<void> | undefined

  constructor() {
    inputById('log-search').addEventListener('input', () => this.#draw())
    byId('log-more').addEventListener('click', () => {
      this.#read(this.#rows.length + pageRows).catch(showFailure)
    })
  }

  /** Reads what is new. */
  async refresh(): Promise<void> {
    this.#reading ??= this.#read(Math.max(firstRows, this.#rows.length + pageRows)).finally(() => {
      this.#reading = undefined
    })
    await this.#reading
  }

  async #read(upTo: number): Promise<void> {
    let after = this.#next ?? this.#rows[0]?.n ?? 0
    for (;;) {
      const view = await ask<LogView>(`/log?after=${after}&limit=${pageRows}`)
      this.#rows.unshift(...view.entries.toReversed())
      this.#next = view.next
      if (view.next === null || this.#rows.length >= upTo) break
      after = view.next
    }
    this.#draw()
  }

  #draw(): void {
    const search = inputById('log-search').value.trim()
    const found = search === '' ? this.#rows : this.#rows.filter((each) => isFound(searchTextOf(each), search))
    byId('log').replaceChildren(...found.slice(0, pageRows).map(rowOf))
    byId('log-note').textContent =
      `${found.length} of ${this.#rows.length} entries${found.length > pageRows ? `, the newest ${pageRows} shown` : ''}`
    byId('log-more').hidden = this.#next === null
  }
}

const showFailure = (error: unknown): void => {
  byId('log-note').textContent = error instanceof Error ? error.message : String(error)
}
