import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import {
  PendingTable,
  type QueueInput,
  type QueueKind,
  QueueTable,
  RejectedTable
} from '../../../../src/registry/store/admission-tables.ts'
import { openTestStore, type TestStore } from '../../../helpers/observations.ts'
import { keyNumber } from '../../../helpers/registry/liveness.ts'

let store: TestStore

beforeEach(() => {
  store = openTestStore()
  onTestFinished(() => store[Symbol.dispose]())
})

const numbers = (keys: readonly Uint8Array[]): number[] =>
  keys.map((key) => Array.from({ length: 10 }, (_, n) => n).find((n) => Buffer.from(keyNumber(n)).equals(key)) ?? -1)

describe('joins that wait for the operator', () => {
  const pending = (key: number, sinceMs: number, change: { name?: string; envelope?: Uint8Array } = {}) => ({
    publicKey: keyNumber(key),
    name: `m${key}`,
    role: 1,
    envelope: Uint8Array.of(key),
    receipt: null,
    sinceMs,
    ...change
  })
  const filled = (...rows: ReturnType<typeof pending>[]): PendingTable => {
    const table = new PendingTable(store.db)
    for (const row of rows) table.put(row)
    return table
  }

  it('are listed oldest first, and by key where they came together', () => {
    const table = filled(pending(3, 10), pending(2, 10), pending(1, 30), pending(4, 5))
    expect(numbers(table.keys())).toEqual([4, 2, 3, 1])
    expect(table.list().map(({ sinceMs }) => sinceMs)).toEqual([5, 10, 10, 30])
  })

  it.each([
    ['keeps its place when it asks again', 10, 30, 10],
    ['comes to the time that it is, when it waited in one that has not come', 30, 10, 10]
  ])('one %s, with what it asks for now', (_what, firstMs, thenMs, sinceMs) => {
    const again = pending(1, thenMs, { name: 'other', envelope: Uint8Array.of(9) })
    const table = filled(pending(1, firstMs), again)
    expect(table.get(keyNumber(1))).toMatchObject({ name: 'other', sinceMs, envelope: Buffer.of(9) })
    expect(table.list().length).toBe(1)
    expect(table.named('m1')).toEqual([])
  })

  it('of one name are all found: who has it is for the operator to say', () => {
    const table = filled(pending(2, 20, { name: 'ann' }), pending(1, 10, { name: 'ann' }), pending(3, 5))
    expect(numbers(table.named('ann').map(({ publicKey }) => publicKey))).toEqual([1, 2])
  })

  it.each([
    [9, [1, 2]],
    [10, [1, 2]],
    [11, [2]],
    [21, []]
  ])('end when they wait since before %i', (timeMs, left) => {
    const table = filled(pending(1, 10), pending(2, 20))
    table.expire(timeMs)
    expect(numbers(table.keys())).toEqual(left)
  })
})

describe('joins that the operator refused', () => {
  it('are kept with the reason that was given last, the newest of them', () => {
    const table = new RejectedTable(store.db)
    for (const [key, reason, atMs] of [
      [1, 'no', 1],
      [2, 'who?', 2],
      [3, 'never', 3],
      [1, 'still no', 4]
    ] as const)
      table.put(keyNumber(key), reason, atMs)
    table.trim(2)
    expect([1, 2, 3].map((key) => table.reason(keyNumber(key)))).toEqual(['still no', undefined, 'never'])
    table.delete(keyNumber(1))
    expect(table.reason(keyNumber(1))).toBeUndefined()
    table.trim(2)
    expect(table.reason(keyNumber(3))).toBe('never')
  })
})

describe('requests that wait for the root', () => {
  const request = (key: number, kind: QueueKind, change: Partial<QueueInput> = {}): QueueInput => ({
    publicKey: keyNumber(key),
    kind,
    envelope: Uint8Array.of(key),
    withInvite: 0,
    receipt: null,
    sinceMs: key,
    ...change
  })
  const filled = (...rows: QueueInput[]): QueueTable => {
    const table = new QueueTable(store.db)
    for (const row of rows) table.put(row)
    return table
  }
  const listed = (table: QueueTable): string[] =>
    table.after(0, 9).map(({ publicKey, kind }) => `${numbers([publicKey])[0]} ${kind}`)

  it('are one for each peer and kind: one that comes again goes to the end, and is not deleted by its old place', () => {
    const table = filled(request(1, 'join'), request(2, 'renew'), request(1, 'renew'))
    const [first] = table.after(0, 1)
    table.put(request(1, 'join', { envelope: Uint8Array.of(9) }))
    expect(listed(table)).toEqual(['2 renew', '1 renew', '1 join'])
    table.delete(first?.place ?? 0)
    expect([table.count(), table.has(keyNumber(1), 'join'), table.has(keyNumber(2), 'join')]).toEqual([3, true, false])
    expect(table.after(0, 9).at(-1)?.envelope).toEqual(Buffer.of(9))
  })

  it('are read in pages, and no place is given out twice', () => {
    const table = filled(request(1, 'join'), request(2, 'join'), request(3, 'join'))
    const [one, two] = table.after(0, 2)
    expect(numbers(table.after(two?.place ?? 0, 2).map(({ publicKey }) => publicKey))).toEqual([3])
    for (const { place } of table.after(0, 9)) table.delete(place)
    table.put(request(4, 'join'))
    expect(table.after(0, 9)[0]?.place).toBeGreaterThan((one?.place ?? 0) + 2)
  })

  it('of strangers are joins without an invite', () => {
    const table = filled(
      request(1, 'join', { withInvite: 1 }),
      request(2, 'join'),
      request(3, 'renew'),
      request(4, 'join')
    )
    expect(numbers(table.strangers())).toEqual([2, 4])
    table.deleteJoin(keyNumber(2))
    table.deleteJoin(keyNumber(3))
    expect(listed(table)).toEqual(['1 join', '3 renew', '4 join'])
  })

  it.each<QueueKind>(['renew', 'forget', 'rotate'])('of the kind %s do not end with the time of a join', (kind) => {
    const table = filled(request(1, kind), request(1, 'join'), request(5, 'join'))
    table.expireJoins(5)
    expect(listed(table)).toEqual([`1 ${kind}`, '5 join'])
  })
})
