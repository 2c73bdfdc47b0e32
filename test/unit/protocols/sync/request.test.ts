import { describe, expect, it } from 'vitest'
import { SyncRequest } from '../../../../src/protocols/sync/pb/sync.ts'
import { recordStart } from '../../../../src/protocols/sync/request.ts'
import type { SyncSource } from '../../../../src/protocols/sync/source.ts'

const storeId = new Uint8Array(16).fill(1)
const digest = new Uint8Array(4_096 * 8)

const source = (lastChange: number): Pick<SyncSource, 'storeId' | 'records'> => ({
  storeId,
  records: {
    lastChange: () => lastChange,
    prepareDigest: async () => {},
    digest: () => digest,
    changesAfter: () => [],
    inBuckets: () => ({ rows: [] })
  }
})

const request = (fields: Partial<SyncRequest>): SyncRequest => SyncRequest.decode(SyncRequest.encode(fields))
const cursor = { store: storeId, change: 100 }

describe('where the records begin', () => {
  it.each([
    ['the cursor, of a pull that is a little behind', 228, {}, { change: 100, differing: [] }],
    ['a digest, for a pull that is far behind', 229, {}, undefined],
    [
      'the cursor, of a subscription however far behind',
      1_000_000,
      { subscribe: true },
      { change: 100, differing: [] }
    ],
    ['a digest, for a cursor of the future', 99, { subscribe: true }, undefined]
  ])('is %s', (_what, lastChange, fields, start) => {
    expect(recordStart(request({ cursor, ...fields }), source(lastChange))).toEqual(start)
  })

  it('is a digest for a cursor of another store, and what differs when it came along', () => {
    const foreign = { store: new Uint8Array(16).fill(2), change: 1 }
    expect(recordStart(request({ cursor: foreign }), source(10))).toBeUndefined()
    const other = digest.slice().fill(1, 8, 16)
    expect(recordStart(request({ digest: other }), source(10))).toEqual({ change: undefined, differing: [1] })
  })

  it('is the first record for somebody who has next to nothing', () => {
    const empty = digest.slice().fill(1)
    expect(recordStart(request({ digest: empty }), source(10))).toEqual({ change: 0, differing: [] })
  })
})
