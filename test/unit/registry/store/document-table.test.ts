import { beforeEach, describe, expect, it } from 'vitest'
import { DocumentTable, type QueuedDocumentInput } from '../../../../src/registry/store/document-table.ts'
import { openTestStore, type TestStore } from '../../../helpers/observations.ts'

let store: TestStore
let table: DocumentTable

beforeEach(() => {
  store = openTestStore()
  table = new DocumentTable(store.db)
  return () => store[Symbol.dispose]()
})

const digest = (number: number): Uint8Array => new Uint8Array(32).fill(number)
const bytes = (text: string): Buffer => Buffer.from(text)

describe('contents of documents', () => {
  it('are found by their digest, and as long as they are', () => {
    table.put(digest(1), bytes('one'))
    table.put(digest(2), bytes(''))
    expect(table.get(digest(1))).toEqual(bytes('one'))
    expect(table.get(digest(2))).toEqual(bytes(''))
    expect(table.get(digest(3))).toBeUndefined()
    expect(table.sizes().map(({ size }) => size)).toEqual([3, 0])
  })

  it('are read one after the other, in the order in which they came; one that came again is the last', () => {
    for (const number of [3, 1, 2]) table.put(digest(number), bytes(String(number)))
    table.put(digest(3), bytes('3 again'))
    const seen: string[] = []
    for (let row = table.after(0); row !== undefined; row = table.after(row.place)) seen.push(String(row.bytes))
    expect(seen).toEqual(['1', '2', '3 again'])
    expect(table.after(Number.MAX_SAFE_INTEGER)).toBeUndefined()
  })

  it('give no place out twice, also when the last one is gone', () => {
    table.put(digest(1), bytes('one'))
    const first = table.after(0)?.place ?? 0
    table.delete(digest(1))
    table.delete(digest(1))
    expect(table.get(digest(1))).toBeUndefined()
    table.put(digest(2), bytes('two'))
    expect(table.after(0)?.place).toBeGreaterThan(first)
  })

  it('have a digest of 32 bytes', () => {
    expect(() => table.put(new Uint8Array(31), bytes('x'))).toThrow('CHECK constraint failed')
  })
})

describe('documents that wait for the root', () => {
  const waiting = (publisher: number, id: string, more: Partial<QueuedDocumentInput> = {}): QueuedDocumentInput => ({
    publisher: digest(publisher),
    id,
    body: bytes('body'),
    order: bytes(`order of ${publisher}`),
    bytes: bytes('content'),
    sinceMs: 5,
    ...more
  })
  const names = (): string[] => table.queued().map(({ publisher, id }) => `${publisher[0]} ${id}`)

  it('come back as they were put, oldest first', () => {
    table.enqueue(waiting(2, 'plan'))
    table.enqueue(waiting(1, 'plan'))
    table.enqueue(waiting(1, 'map'))
    expect(names()).toEqual(['2 plan', '1 plan', '1 map'])
    const [{ place, ...first }] = table.queued() as [ReturnType<DocumentTable['queued']>[number]]
    expect(place).toBeGreaterThan(0)
    expect(first).toEqual({ ...waiting(2, 'plan'), publisher: Buffer.from(digest(2)) })
  })

  it('are one of each publisher and id: one that comes again takes the place of the other, at the end', () => {
    table.enqueue(waiting(1, 'plan'))
    table.enqueue(waiting(2, 'plan'))
    table.enqueue(waiting(1, 'plan', { order: bytes('a newer order') }))
    expect(names()).toEqual(['2 plan', '1 plan'])
    expect(table.queuedOrder(digest(1), 'plan')).toEqual(bytes('a newer order'))
    expect(table.queuedOrder(digest(2), 'plan')).toEqual(bytes('order of 2'))
    expect(table.queuedOrder(digest(2), 'map')).toBeUndefined()
  })

  it('are counted, all and of one publisher, and gone once they were decided', () => {
    for (const id of ['a', 'b', 'c']) table.enqueue(waiting(1, id))
    table.enqueue(waiting(2, 'a'))
    expect([
      table.queuedCount(),
      table.queuedOf(digest(1)),
      table.queuedOf(digest(2)),
      table.queuedOf(digest(3))
    ]).toEqual([4, 3, 1, 0])
    const [first] = table.queued()
    table.dequeue(first?.place ?? 0)
    table.dequeue(first?.place ?? 0)
    expect([table.queuedCount(), names()]).toEqual([3, ['1 b', '1 c', '2 a']])
  })

  it('stay over a restart, each in its place', () => {
    table.enqueue(waiting(1, 'a'))
    table.enqueue(waiting(1, 'b'))
    const places = table.queued().map(({ place }) => place)
    store = store.reopen()
    table = new DocumentTable(store.db)
    expect(table.queued().map(({ place }) => place)).toEqual(places)
  })
})
