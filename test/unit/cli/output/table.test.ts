import { describe, expect, test } from 'vitest'
import { type Column, renderTable } from '../../../../src/cli/output/table.ts'

interface Row {
  name: string
  rtt: string
  address: string
}

const columns: Column<Row>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'RTT', cell: ({ rtt }) => rtt, right: true, drop: 1 },
  { title: 'ADDRESS', cell: ({ address }) => address, drop: 2 }
]
const rows: Row[] = [
  { name: 'hal', rtt: '1ms', address: '/ip6/2001:db8::5/tcp/9000' },
  { name: 'discovery', rtt: '120ms', address: '-' }
]

describe('a table', () => {
  test('has no lines, two spaces between columns and none at the end', () => {
    expect(renderTable(columns, rows).text.split('\n')).toEqual([
      'NAME         RTT  ADDRESS',
      'hal          1ms  /ip6/2001:db8::5/tcp/9000',
      'discovery  120ms  -'
    ])
  })

  test('leaves out the least important columns until it fits, and tells which', () => {
    const { text, hidden } = renderTable(columns, rows, { width: 20 })
    expect(hidden).toEqual(['ADDRESS'])
    expect(text.split('\n')[1]).toBe('hal          1ms')
    expect(renderTable(columns, rows, { width: 10 }).hidden).toEqual(['RTT', 'ADDRESS'])
  })

  test('never leaves out a column without a drop number', () => {
    expect(renderTable(columns, rows, { width: 1 }).text.split('\n')[2]).toBe('discovery')
  })

  test('colours do not count as width', () => {
    const red: Column<Row>[] = [
      { title: 'NAME', cell: ({ name }) => `\u001b[31m${name}\u001b[39m` },
      ...columns.slice(1)
    ]
    expect(renderTable(red, rows, { width: 44 }).hidden).toEqual([])
  })
})
