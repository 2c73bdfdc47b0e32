import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { RecordTable } from '../../../../src/registry/store/record-table.ts'
import { openTestStore } from '../../../helpers/observations.ts'

let table: RecordTable

beforeEach(() => {
  const store = openTestStore()
  onTestFinished(() => store[Symbol.dispose]())
  table = store.records
})

/** Keys in the order of their numbers. */
const key = (n: number): Uint8Array => new Uint8Array(32).fill(n)
const numberOf = ({ publicKey }: { publicKey: Uint8Array }): number => publicKey[0] ?? -1

const put = (n: number, { seq = 1, bucket = 0, services = [] as readonly string[] } = {}): number => {
  const envelope = Uint8Array.of(n, seq)
  const row = { publicKey: key(n), bucket, seq, hash: key(seq), services, envelope }
  return table.put(row, table.held(key(n)))
}

describe('the number of a change', () => {
  it('is new with every update, so that each row is read once, in its latest version', () => {
    const changes = [put(1), put(2), put(3), put(1, { seq: 2 })]
    expect(changes).toEqual([1, 2, 3, 4])
    expect(table.changesAfter(0, 9).map((row) => [numberOf(row), row.seq])).toEqual([
      [2, 1],
      [3, 1],
      [1, 2]
    ])
    expect(table.changesAfter(2, 1).map(numberOf)).toEqual([3])
    expect(table.changesAfter(4, 9)).toEqual([])
    expect(table.positionsAfter(3, 9).map(({ change, seq }) => [change, seq])).toEqual([[4, 2]])
  })

  it('is not given out again when the newest row is deleted', () => {
    expect(table.lastChange()).toBe(0)
    put(1)
    put(2)
    expect([table.delete(key(2)), table.delete(key(2))]).toEqual([true, false])
    expect(table.lastChange()).toBe(2)
    expect(put(3)).toBe(3)
  })
})

describe('a record that is kept', () => {
  it('is the one of the last update, to the byte', () => {
    put(1)
    put(1, { seq: 2 })
    expect(table.count()).toBe(1)
    expect(table.get(key(1))).toMatchObject({ seq: 2, change: 2 })
    expect(table.envelopeOf(key(1))).toEqual(Buffer.of(1, 2))
    expect([table.holds(key(1), Uint8Array.of(1, 2)), table.holds(key(1), Uint8Array.of(1, 1))]).toEqual([true, false])
    expect([table.get(key(9)), table.held(key(9)), table.envelopeOf(key(9))]).toEqual([undefined, undefined, undefined])
  })

  it('is found by the next key, also where none is', () => {
    for (const n of [2, 4]) put(n)
    const found = [1, 2, 3, 4, 5].map((n) => [table.nearest(key(n)), table.following(key(n))])
    expect(found.map((pair) => pair.map((row) => row && numberOf(row)))).toEqual([
      [2, 2],
      [2, 4],
      [4, 4],
      [4, undefined],
      [undefined, undefined]
    ])
  })

  it('is read with those of its bucket, by pages', () => {
    for (const n of [3, 1, 2]) put(n, { bucket: 7 })
    put(4, { bucket: 8 })
    expect(table.inBucket(7, key(0), 2).map(numberOf)).toEqual([1, 2])
    expect(table.inBucket(7, key(2), 2).map(numberOf)).toEqual([3])
    put(1, { seq: 2, bucket: 8 })
    expect(table.inBucket(8, key(0), 9).map(numberOf)).toEqual([1, 4])
  })
})

describe('what members offer', () => {
  const offering = (service: string): (number | undefined)[] => table.offering(service, key(0), 9).map(([n]) => n)

  it.each([
    ['one more', ['db'], ['db', 'mail'], ['db', 'mail']],
    ['one less', ['db', 'mail'], ['mail'], ['mail']],
    ['others', ['db'], ['mail', 'web'], ['mail', 'web']],
    ['none', ['db', 'mail'], [], []],
    ['the same', ['db'], ['db'], ['db']],
    ['its first', [], ['web'], ['web']]
  ])('follows the record when it names %s', (_what, before, after, found) => {
    put(1, { services: before })
    put(2, { services: ['db', 'mail', 'web'] })
    put(1, { seq: 2, services: after })
    const names = ['db', 'mail', 'web']
    expect(names.filter((service) => offering(service).includes(1))).toEqual(found)
    expect(names.filter((service) => table.offers(key(1), service))).toEqual(found)
    expect(names.map((service) => table.offers(key(2), service))).toEqual([true, true, true])
  })

  it('is gone with the record', () => {
    put(1, { services: ['db'] })
    table.delete(key(1))
    expect([offering('db'), table.offers(key(1), 'db')]).toEqual([[], false])
  })

  it('is read by pages, ascending by key', () => {
    for (const n of [3, 1, 2]) put(n, { services: ['db'] })
    expect(table.offering('db', key(0), 2).map(([n]) => n)).toEqual([1, 2])
    expect(table.offering('db', key(2), 2).map(([n]) => n)).toEqual([3])
  })
})
