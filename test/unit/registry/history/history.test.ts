import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { keyId } from '../../../../src/identity/key-id.ts'
import { History, historyRows } from '../../../../src/registry/history/history.ts'
import { type Database, openDatabase } from '../../../../src/registry/store/database.ts'
import type { HistoryRow } from '../../../../src/registry/store/history-table.ts'
import { schema } from '../../../../src/registry/store/schema.ts'

let folder: string
let db: Database
let nowMs: number
let isFull: boolean
let told: HistoryRow[]

const key = (byte: number): Buffer => Buffer.alloc(32, byte)
const open = (): History =>
  new History({
    db,
    clock: { now: () => nowMs, monotonic: () => nowMs },
    write: async (run) => {
      if (isFull) throw new Error('the disk is full')
      return db.transaction(run)()
    },
    onRow: (row) => told.push(row)
  })
const flap = (history: History, publicKey: Uint8Array, times: number): void => {
  for (let at = 0; at < times; at++)
    history.add({ kind: 'state', publicKey, state: at % 2 === 0 ? 'suspect' : 'online', reason: `${at}` })
}
const all = (history: History): HistoryRow[] => history.rows({ after: -1, limit: 2 * historyRows })

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trustnet-history-'))
  db = openDatabase(join(folder, 'registry.db'))
  nowMs = 1_000_000
  isFull = false
  told = []
})

afterEach(() => {
  db.close()
  rmSync(folder, { recursive: true })
})

describe('the history', () => {
  test('has what was added, at once and after a restart, with ids that only grow', async () => {
    const history = open()
    history.add({ kind: 'admitted', publicKey: key(1), reason: '' })
    history.add({ kind: 'state', publicKey: key(1), state: 'online', source: key(9), reason: 'x'.repeat(500) })
    const before = all(history)
    expect(before).toMatchObject([
      { kind: 2, state: null, atMs: nowMs },
      { kind: 1, state: 1, before: null, source: key(9), reason: 'x'.repeat(200) }
    ])
    expect(told).toEqual(before)
    await history.save()
    expect(all(history).map(({ id }) => id)).toEqual(before.map(({ id }) => id))
    // A row that was not written yet is lost with a process that is killed; its id is not given out again.
    history.add({ kind: 'alarm', publicKey: key(2), reason: 'lost' })
    nowMs += 5
    const next = open()
    next.add({ kind: 'alarm', publicKey: key(2), reason: 'later' })
    expect(next.last).toBeGreaterThan(history.last ?? Number.NaN)
    expect(all(next).map(({ reason }) => reason.slice(0, 5))).toEqual(['', 'xxxxx', 'later'])
    expect(next.states()).toMatchObject([{ publicKey: key(1), state: 1 }])
  })

  test('gives out no id twice when the clock goes back', () => {
    const history = open()
    history.add({ kind: 'alarm', publicKey: key(1), reason: 'a' })
    nowMs -= 500_000
    history.add({ kind: 'alarm', publicKey: key(1), reason: 'b' })
    const [first, second] = all(history)
    expect(second?.id).toBe((first?.id ?? 0) + 1)
    expect(second?.atMs).toBe(500_000)
  })

  test('is read page by page, of one or of all, since a time, and from its end', async () => {
    const history = open()
    for (let at = 0; at < 10; at++) {
      nowMs = 1_000_000 + at * 1000
      history.add({ kind: 'alarm', publicKey: key(at % 2), reason: `${at}` })
      if (at === 6) await history.save()
    }
    const reasons = (query: Parameters<History['rows']>[0]): string =>
      history
        .rows(query)
        .map(({ reason }) => reason)
        .join('')
    expect(reasons({ limit: 4 })).toBe('6789')
    expect(reasons({ limit: 2, publicKey: key(0) })).toBe('68')
    expect(reasons({ after: 0, limit: 4 })).toBe('0123')
    expect(reasons({ after: history.rows({ after: 0, limit: 6 }).at(-1)?.id, limit: 100 })).toBe('6789')
    expect(reasons({ sinceMs: 1_005_000, limit: 3 })).toBe('567')
    expect(reasons({ sinceMs: 1_005_000, limit: 9, publicKey: key(1) })).toBe('579')
    expect(history.first).toBe(1_000_000)
  })

  const keyOf = (member: number): Buffer => Buffer.alloc(32, `${member}`.padStart(8, '0'))
  const countOf = (history: History, publicKey: Uint8Array): number =>
    history.rows({ after: -1, publicKey, limit: 99_999 }).length

  test.each([1, 600, 3000])(
    'of %i members that flap pushes out no row of the others, written or waiting',
    async (many) => {
      const history = open()
      const flapAll = (rows: number): void => {
        for (let at = 0; at < rows; at++) flap(history, keyOf(at % many), 1)
      }
      // Where many flap each has a few rows, and a member that does not still has as many.
      const quiet = many < 1000 ? 10 : 2
      flap(history, key(1), quiet)
      flapAll(12_000)
      expect(countOf(history, key(1))).toBe(quiet)
      await history.save()
      expect(countOf(history, key(1))).toBe(quiet)
      flapAll(3000)
      await history.save()
      expect(countOf(history, key(1))).toBe(quiet)
      expect(all(history).length).toBeLessThanOrEqual(historyRows)
      const rows = Map.groupBy(all(history), ({ publicKey }) => keyId(publicKey))
      const counts = [...rows].filter(([id]) => id !== keyId(key(1))).map(([, { length }]) => length)
      expect(counts).toHaveLength(many)
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2)
    }
  )

  test('keeps 10,000 rows, the newest, of however many members', async () => {
    const history = open()
    for (let round = 0; round < 20; round++)
      for (let member = 0; member < 700; member++)
        history.add({ kind: 'alarm', publicKey: keyOf(member), reason: `${round}` })
    const expectFull = (): void => {
      expect(all(history).length).toBeGreaterThan(historyRows - 500)
      expect(all(history).length).toBeLessThanOrEqual(historyRows)
    }
    expectFull()
    await history.save()
    expectFull()
    for (let at = 0; at < 12_000; at++) history.add({ kind: 'alarm', publicKey: keyOf(1000 + at), reason: 'last' })
    await history.save()
    expectFull()
    // One of each, and of those the newest.
    expect(countOf(history, keyOf(12_999))).toBe(1)
    expect(countOf(history, keyOf(699))).toBe(0)
  })

  test('goes on with a full disk, and writes what waited when there is room again', async () => {
    const history = open()
    isFull = true
    flap(history, key(1), 3)
    await expect(history.save()).rejects.toThrow('full')
    expect(all(history)).toHaveLength(3)
    isFull = false
    flap(history, key(1), 1)
    await history.save()
    expect(open().rows({ after: -1, limit: 9 })).toHaveLength(4)
  })

  test('takes nothing after its end, and ends with a full disk, too', async () => {
    const history = open()
    flap(history, key(1), 1)
    isFull = true
    await history.close()
    history.add({ kind: 'alarm', publicKey: key(1), reason: 'late' })
    expect(told).toHaveLength(1)
  })
})

test('a store of the version before gets its table, and keeps all else', () => {
  const path = join(folder, 'old.db')
  const old = openDatabase(path)
  old.exec('DROP TABLE history; DROP TABLE document_bytes; DROP TABLE document_queue; DROP INDEX log_of_documents')
  old.exec('PRAGMA user_version = 3')
  old.exec("INSERT INTO meta (key, value) VALUES ('a', x'01')")
  old.close()
  const now = openDatabase(path)
  expect(now.pragma('user_version', { simple: true })).toBe(schema.version)
  expect(now.prepare('SELECT count(*) AS rows FROM history').get()).toEqual({ rows: 0 })
  expect(now.prepare('SELECT count(*) AS rows FROM meta').get()).toEqual({ rows: 1 })
  now.close()
})
