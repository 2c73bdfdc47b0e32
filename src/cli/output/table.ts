import { stripVTControlCharacters } from 'node:util'
import Table from 'cli-table3'

export interface Column<Row> {
  title: string
  cell(row: Row): string
  right?: boolean
  /** Columns that do not fit the terminal are left out, highest number first; without a number never. */
  drop?: number
}

export interface TableText {
  text: string
  /** Titles of the columns that did not fit. */
  hidden: string[]
}

const gap = 2

const noBorders = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' '.repeat(gap)
}

const widthOf = (text: string): number => Array.from(stripVTControlCharacters(text)).length

/** A table without lines. With a width, columns are left out until it fits; the titles of those are told. */
export const renderTable = <Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: { width?: number } = {}
): TableText => {
  const cells = columns.map((column) => ({ column, values: rows.map((row) => column.cell(row)) }))
  const widths = new Map(
    cells.map(({ column, values }) => [column, Math.max(widthOf(column.title), ...values.map(widthOf))])
  )
  const kept = new Set(columns)
  const hidden: string[] = []
  const total = (): number => [...kept].reduce((sum, column) => sum + (widths.get(column) ?? 0) + gap, -gap)
  const droppable = columns.filter(({ drop }) => drop !== undefined).toSorted((a, b) => (b.drop ?? 0) - (a.drop ?? 0))
  for (const column of droppable) {
    if (options.width === undefined || total() <= options.width) break
    kept.delete(column)
    hidden.unshift(column.title)
  }
  const shown = cells.filter(({ column }) => kept.has(column))
  const table = new Table({
    head: shown.map(({ column }) => column.title),
    chars: noBorders,
    colAligns: shown.map(({ column }) => (column.right === true ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 }
  })
  table.push(...rows.map((_, at) => shown.map(({ values }) => values[at] ?? '')))
  const text = table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
  return { text, hidden }
}
