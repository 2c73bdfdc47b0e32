import Table from 'cli-table3'
import type { BenchmarkResult, FigureResult, RowResult } from './benchmark.ts'
import type { Spread } from './spread.ts'

/** Three digits that count, with separators: 12,300 and 0.0456. */
export const short = (value: number): string =>
  Number.isFinite(value) ? Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 6 }) : 'none'

const range = ({ median, min, max }: Spread): string =>
  min === max ? short(median) : `${short(median)} (${short(min)} to ${short(max)})`

/** Cells of one line: what, figure, floor, ratio, aim. */
export const cellsOf = (row: RowResult): string[] => [
  row.what,
  `${range(row)} ${row.unit}`,
  row.floor === undefined ? '' : `${range(row.floor)} ${row.floor.what}`,
  row.ratio === undefined ? '' : range(row.ratio),
  row.aim === undefined ? '' : `${row.aim}: ${row.met === true ? 'met' : 'missed'}`
]

export const besideOf = ({ beside }: RowResult): string =>
  beside.map((each: FigureResult) => `${each.what} ${short(each.median)}`).join(', ')

export const headings = ['what', 'measured', 'floor', 'ratio', 'aim']

/** For a terminal. */
export function textTable(result: BenchmarkResult): string {
  const table = new Table({ head: [...headings, 'beside'], style: { head: [], border: [] }, wordWrap: true })
  for (const row of result.rows) table.push([...cellsOf(row), besideOf(row)])
  return `${result.title} (${result.rounds} rounds: median, and min to max)\n${table.toString()}\n`
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

/** For the page. */
export function markdownTable(result: BenchmarkResult): string {
  const lines = result.rows.map((row) => {
    const [what = '', figure = '', ...rest] = cellsOf(row)
    const beside = besideOf(row)
    return line([what, beside === '' ? figure : `**${figure}**; ${beside}`, ...rest])
  })
  return [line(headings), line(headings.map(() => '---')), ...lines].join('\n')
}
