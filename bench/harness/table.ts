import type { BenchmarkResult, FigureResult, RowResult } from './benchmark.ts'
import type { Spread } from './spread.ts'

/** Three digits that count, with separators: 12,300 and 0.0456. */
export const short = (value: number): string =>
  Number.isFinite(value) ? Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 6 }) : 'none'

const range = ({ median, min, max }: Spread): string =>
  min === max ? short(median) : `${short(median)} (${short(min)} to ${short(max)})`

/** Cells of one line: what, figure, floor, ratio, aim. */
const cellsOf = (row: RowResult): string[] => [
  row.what,
  `${range(row)} ${row.unit}`,
  row.floor === undefined ? '' : `${range(row.floor)} ${row.floor.what}`,
  row.ratio === undefined ? '' : range(row.ratio),
  row.aim === undefined ? '' : `${row.aim}: ${row.met === true ? 'met' : 'missed'}`
]

const besideOf = ({ beside }: RowResult): string =>
  beside.map((each: FigureResult) => `${each.what} ${short(each.median)}`).join(', ')

const headings = ['what', 'measured', 'floor', 'ratio', 'aim']

const columns = 100

/** A line of the terminal for each part of a row, and more where one is too long: `label  words`. */
function labelled(label: string, words: string): string {
  const lead = `  ${label.padEnd(10)}`
  const lines = ['']
  for (const word of words.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last !== '' && lead.length + last.length + 1 + word.length > columns) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return `${lead}${lines.join(`\n${' '.repeat(lead.length)}`)}`
}

/** For a terminal: the cells of each row below one another. */
export function textTable(result: BenchmarkResult): string {
  const rows = result.rows.map((row) => {
    const [what, ...cells] = [...cellsOf(row), besideOf(row)]
    const labels = [...headings.slice(1), 'beside']
    const lines = cells.flatMap((cell, at) => (cell === '' ? [] : labelled(labels[at] ?? '', cell)))
    return [what, ...lines].join('\n')
  })
  return `${result.title} (${result.rounds} rounds: median, and min to max)\n\n${rows.join('\n\n')}\n`
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
