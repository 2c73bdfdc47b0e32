import type { Readable } from 'node:stream'
import { type Column, renderTable } from './table.ts'
import { type Painter, painter, safeJson, wrapped } from './text.ts'

export interface Sink {
  write(text: string): unknown
  isTTY?: boolean | undefined
  columns?: number | undefined
}

export interface TerminalInit {
  stdout: Sink
  stderr: Sink
  stdin: Readable & { isTTY?: boolean }
  env: Readonly<Record<string, string | undefined>>
}

/** Where a command writes: data to stdout, progress and complaints to stderr. Colours only on a TTY and without NO_COLOR. */
export class Terminal {
  readonly stdin: TerminalInit['stdin']
  readonly env: TerminalInit['env']
  readonly isTTY: boolean
  readonly paint: Painter
  readonly paintProgress: Painter
  readonly stdout: Sink
  readonly stderr: Sink

  constructor(init: TerminalInit) {
    this.stdout = init.stdout
    this.stderr = init.stderr
    this.stdin = init.stdin
    this.env = init.env
    this.isTTY = init.stdout.isTTY === true
    const wanted = (init.env['NO_COLOR'] ?? '') === '' && init.env['TERM'] !== 'dumb'
    this.paint = painter(wanted && this.isTTY)
    this.paintProgress = painter(wanted && init.stderr.isTTY === true)
  }

  /** Columns of the terminal; undefined when stdout is none, so nothing is cut for a pipe. */
  get width(): number | undefined {
    return this.isTTY ? this.stdout.columns : undefined
  }

  print(line: string): void {
    this.stdout.write(`${line}\n`)
  }

  progress(line: string): void {
    this.stderr.write(`${line}\n`)
  }

  json(value: object): void {
    this.print(safeJson(value, 2))
  }

  jsonLine(value: object): void {
    this.print(safeJson(value))
  }

  /** Prints rows, or to stderr that there are none. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], options: TableOptions): void {
    if (rows.length === 0) {
      this.progress(options.empty)
      return
    }
    this.print(this.tableText(columns, rows, options))
  }

  tableText<Row>(columns: readonly Column<Row>[], rows: readonly Row[], options: { all?: boolean }): string {
    const width = options.all === true ? undefined : this.width
    const { text, hidden } = renderTable(columns, rows, width === undefined ? {} : { width })
    const note = wrapped(`(no room for ${hidden.join(', ')}; --long shows all)`.split(' '), ' ', width, ' ')
    return hidden.length === 0 ? text : `${text}\n${this.paint('dim', note)}`
  }
}

export interface TableOptions {
  /** What is said when there are no rows. */
  empty: string
  /** All columns, however wide. */
  all?: boolean
}
