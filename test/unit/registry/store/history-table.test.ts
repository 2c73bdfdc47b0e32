import { beforeEach, describe, expect, it } from 'vitest'
import { type HistoryRow, HistoryTable } from '../../../../src/registry/store/history-table.ts'
import { openTestStore, type TestStore } from '../../../helpers/observations.ts'

let store: TestStore
let table: HistoryTable

beforeEach(() => {
  store = openTestStore()
  table = new HistoryTable(store.db)
  return () => store[Symbol.dispose]()
})

const key = (number: number): Uint8Array => new Uint8Array(32).fill(number)

const row = (id: number, of: number, more: Partial<HistoryRow> = {}): HistoryRow => ({
  id,
  atMs: id * 100,
  kind: 1,
  publicKey: key(of),
  state: null,
  before: null,
  source: null,
  reason: '',
  ...more
})

const put = (...rows: HistoryRow[]): void => {
  for (const each of rows) table.put(each)
}

const idsOf = (rows: readonly HistoryRow[]): number[] => rows.map(({ id }) => id)

describe('rows of the history', () => {
  it('come back as they were put, each column in its own field', () => {
    const full = row(7, 1, { kind: 3, state: 2, before: 4, source: key(9), reason: 'stream lost' })
    put(full)
    const [found] = table.after(0, 0, 9, undefined)
    expect(found).toEqual({ ...full, publicKey: Buffer.from(key(1)), source: Buffer.from(key(9)) })
  })

  it('are of a key of 32 bytes, and no id is put twice', () => {
    expect(() => put(row(1, 1, { publicKey: new Uint8Array(31) }))).toThrow('CHECK constraint failed')
    put(row(1, 1))
    expect(() => put(row(1, 2))).toThrow('UNIQUE constraint failed')
  })

  it.each<[string, [number, number, number, number | undefined], number[]]>([
    ['all', [-1, 0, 9, undefined], [1, 2, 3, 4]],
    ['those behind an id', [2, 0, 9, undefined], [3, 4]],
    ['those since a time', [-1, 300, 9, undefined], [3, 4]],
    ['as many as are asked for, the oldest first', [-1, 0, 2, undefined], [1, 2]],
    ['those of one key', [-1, 0, 9, 1], [1, 3]],
    ['those of one key behind an id and since a time', [1, 200, 9, 1], [3]],
    ['none of a key without any', [-1, 0, 9, 5], []]
  ])('are read: %s', (_what, [after, sinceMs, limit, of], ids) => {
    put(row(1, 1), row(2, 2), row(3, 1), row(4, 2))
    expect(idsOf(table.after(after, sinceMs, limit, of === undefined ? undefined : key(of)))).toEqual(ids)
  })

  it('are read from the newest back, and given in the order in which they happened', () => {
    put(row(1, 1), row(2, 2), row(3, 1), row(4, 2), row(5, 1))
    expect(idsOf(table.newest(2, undefined))).toEqual([4, 5])
    expect(idsOf(table.newest(2, key(1)))).toEqual([3, 5])
    expect(idsOf(table.newest(9, key(2)))).toEqual([2, 4])
  })

  it('say the last state of each key, also where something else happened since', () => {
    put(row(1, 1, { state: 1 }), row(2, 1, { state: 2 }), row(3, 2, { state: 5 }), row(4, 1), row(5, 3))
    expect(table.states().map(({ id, state }) => [id, state])).toEqual([
      [2, 2],
      [3, 5]
    ])
  })
})

describe('the ring', () => {
  it('has ends, or none where it is empty', () => {
    expect(table.ends()).toEqual({ first: null, last: null, rows: 0 })
    put(row(4, 1), row(9, 2))
    expect(table.ends()).toEqual({ first: 4, last: 9, rows: 2 })
  })

  it('loses the oldest rows of those who have most: a member that flaps pushes out its own alone', () => {
    put(row(1, 1), row(2, 2), ...Array.from({ length: 6 }, (_, each) => row(10 + each, 3)))
    table.trim(4)
    expect(idsOf(table.after(-1, 0, 99, undefined))).toEqual([1, 2, 14, 15])
    table.trim(1)
    expect(idsOf(table.after(-1, 0, 99, undefined))).toEqual([1, 2, 15])
    // All have one by now: then the oldest goes.
    table.trim(1)
    expect(idsOf(table.after(-1, 0, 99, undefined))).toEqual([2, 15])
  })

  it('loses nothing when nothing is too much, and all when all is', () => {
    put(row(1, 1), row(2, 1))
    table.trim(0)
    expect(table.ends().rows).toBe(2)
    table.trim(99)
    expect(table.ends().rows).toBe(0)
  })
})
