import type { Readable } from 'node:stream'
import { unasked } from '../../node/api/stamp.ts'
import { type Column, renderTable } from './table.ts'
import { type Painter, painter, printable, safeJson, wrapped } from './text.ts'

/**
 * Kind of reader of an output: a terminal or a file keeps what is written, nobody reads the null device, and what was read of a pipe before
 * its reader went away, the writer cannot tell.
 */
export type Reader = 'lasting' | 'passing' | 'none'

/** Fate of a secret that was handed over; `unknown`: a pipe took it. */
export type Arrival = 'arrived' | 'unknown' | 'lost'

export interface Sink {
  write(data: string | Uint8Array): unknown
  /** Resolves when all is written, or cannot be. */
  flushed?(): Promise<void>
  /** The reason why something was lost. */
  failure?: NodeJS.ErrnoException | undefined
  /** The reason why the last write did not arrive. */
  errored?: Error | null
  isTTY?: boolean | undefined
  /** Kind of reader; default: lasting. */
  reader?: Reader
  columns?: number | undefined
}

export interface TerminalInit {
  stdout: Sink
  stderr: Sink
  stdin: Readable & { isTTY?: boolean }
  env: Readonly<Record<string, string | undefined>>
  /** Takes secrets out of what is said. */
  redact: (text: string) => string
}

/** Output of a command: data to stdout, progress and complaints to stderr. Colours only on a TTY and without NO_COLOR. */
export class Terminal {
  readonly stdin: TerminalInit['stdin']
  readonly env: TerminalInit['env']
  readonly isTTY: boolean
  readonly paint: Painter
  readonly paintProgress: Painter
  readonly stdout: Sink
  readonly stderr: Sink
  readonly #redact: TerminalInit['redact']

  constructor(init: TerminalInit) {
    this.stdout = init.stdout
    this.stderr = init.stderr
    this.stdin = init.stdin
    this.#redact = init.redact
    this.env = init.env
    this.isTTY = init.stdout.isTTY === true
    const wanted = (init.env['NO_COLOR'] ?? '') === '' && init.env['TERM'] !== 'dumb'
    this.paint = painter(wanted && this.isTTY)
    this.paintProgress = painter(wanted && init.stderr.isTTY === true)
  }

  /** Columns of the terminal; undefined when stdout is none or does not know its size, so nothing is cut for a pipe. */
  get width(): number | undefined {
    return this.isTTY ? this.stdout.columns || undefined : undefined
  }

  /** Whatever a caller forgot to clean does not reach the terminal. */
  print(line: string): void {
    this.stdout.write(`${printable(this.#redact(line))}\n`)
  }

  /** Writes bytes as they are, which is for files and pipes. */
  bytes(data: Uint8Array): void {
    this.stdout.write(data)
  }

  progress(line: string): void {
    this.complain(`${line}\n`)
  }

  /** Text for stderr, colours and all. */
  complain(text: string): void {
    this.stderr.write(printable(this.#redact(text)))
  }

  json(value: object): void {
    this.#printJson(safeJson(unasked(value), 2))
  }

  /** Prints a line or a view that is a secret, for the one who asked for it. */
  async handOver(secret: string | object): Promise<Arrival> {
    this.stdout.write(`${typeof secret === 'string' ? printable(secret) : safeJson(unasked(secret), 2)}\n`)
    await this.stdout.flushed?.()
    const { failure, reader } = this.stdout
    if (failure !== undefined || reader === 'none') return 'lost'
    return reader === 'passing' ? 'unknown' : 'arrived'
  }

  jsonLine(value: object): void {
    this.#printJson(safeJson(unasked(value)))
  }

  #printJson(text: string): void {
    this.stdout.write(`${this.#redact(text)}\n`)
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
  /** Text for when there are no rows. */
  empty: string
  /** All columns, however wide. */
  all?: boolean
}
