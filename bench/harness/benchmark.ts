import type { Spread } from './spread.ts'

/** What was measured in one round, by name. */
export type Round = Readonly<Record<string, number>>

/** One thing that is measured once per round. */
export interface Measure {
  readonly name: string
  /** Gives a number, or several, which are called `name.key`. */
  readonly run: () => Promise<number | Readonly<Record<string, number>>>
}

/** A number made of what one round measured. */
export interface Figure {
  readonly what: string
  readonly of: (round: Round) => number
}

/** One line of the table. */
export interface Row extends Figure {
  readonly unit: string
  /** What it is held against, measured in the same round: the ratio is figure / floor. */
  readonly floor?: Figure
  /** More numbers to see beside it. */
  readonly beside?: readonly Figure[]
  readonly aim?: Aim
}

export interface Aim {
  readonly text: string
  /** Judges the medians. */
  readonly met: (figure: number, ratio: number) => boolean
}

/** Everything is running: what to measure each round, and the lines that come of it. */
export interface Plan extends AsyncDisposable {
  readonly measures: readonly Measure[]
  /** One round more, before the first, is not counted: what is measured is a process that has been at work for a while. */
  readonly warmUp?: boolean
  readonly rows: readonly Row[]
}

/** What a benchmark is given. */
export interface Bench {
  readonly parameters: Readonly<Record<string, number>>
  /** Folder of this run; removed at its end. */
  readonly folder: string
  /** For stores that are costly to make: kept from run to run. */
  readonly cache: string
  /** A line on stderr. */
  progress(text: string): void
}

export interface Benchmark {
  readonly name: string
  readonly title: string
  /** How it is measured, for the page. */
  readonly how: string
  /** Each is a flag: `--name value`. */
  readonly parameters: Readonly<Record<string, number>>
  /** For trying: `--quick`. */
  readonly quick: Readonly<Record<string, number>>
  prepare(bench: Bench): Promise<Plan>
}

/** It cannot be measured on this machine; the message says what is missing. */
export class SkippedError extends Error {
  override readonly name = 'SkippedError'
}

export interface FigureResult extends Spread {
  what: string
}

export interface RowResult extends FigureResult {
  unit: string
  floor?: FigureResult
  /** Figure over floor, round by round. */
  ratio?: Spread
  beside: FigureResult[]
  aim?: string
  met?: boolean
}

export interface BenchmarkResult {
  name: string
  title: string
  how: string
  rounds: number
  parameters: Record<string, number>
  command: string
  date: string
  machine: string
  commit: string
  rows: RowResult[]
}
