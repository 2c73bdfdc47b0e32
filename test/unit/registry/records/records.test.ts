import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { bucketDigestBytes } from '../../../../src/registry/log/state/merkle-tree.ts'
import { compareRecords, sealRecord } from '../../../../src/registry/objects/record.ts'
import type { Membership, RecordConflict, RecordEvent } from '../../../../src/registry/records/records.ts'
import {
  InvalidEnvelopeError,
  LimitError,
  NotMemberError,
  RevokedError,
  StaleRecordError,
  WrongNetworkError
} from '../../../../src/runtime/errors.ts'
import { openTestStore, recordOf, recordsOver, type TestStore } from '../../../helpers/observations.ts'
import { aRecord, keyOf, otherNetworkId } from '../../../helpers/signed-objects.ts'

const key = keyOf(4)
let store: TestStore

beforeEach(() => {
  store = openTestStore()
})

afterEach(() => store[Symbol.dispose]())

describe('Records', () => {
  it('keeps the greatest of a key in whatever order, and however many at once, they come', async () => {
    const versions = [1, 2, 3, 3, 4].map((seq, index) => recordOf(key, seq, { tags: [`version-${index}`] }))
    const greatest = versions.reduce((a, b) => (compareRecords(orderOf(a), orderOf(b)) < 0 ? b : a))
    const orders = fc.shuffledSubarray(versions, { minLength: versions.length })
    await fc.assert(
      fc.asyncProperty(orders, fc.boolean(), async (order, isTogether) => {
        using fresh = openTestStore()
        const records = recordsOver(fresh)
        const puts = order.map((record) => () => records.put(record.bytes).catch(() => undefined))
        if (isTogether) await Promise.all(puts.map((put) => put()))
        else for (const put of puts) await put()
        expect(records.get(key.publicKey)?.hash).toEqual(Buffer.from(greatest.hash))
        expect(records.count()).toBe(1)
      }),
      { numRuns: 15 }
    )
  })

  it('refuses an older record with the one it holds, and says nothing to one that it has already', async () => {
    const records = recordsOver(store)
    const newer = recordOf(key, 2)
    expect(await records.put(newer.bytes)).toMatchObject({ accepted: true, change: 1 })
    const refusal = records.put(recordOf(key, 1).bytes)
    await expect(refusal).rejects.toThrow(StaleRecordError)
    await expect(refusal).rejects.toMatchObject({ held: Buffer.from(newer.bytes) })
    expect(await records.put(newer.bytes)).toEqual({ accepted: false })
    expect(records.lastChange()).toBe(1)
    expect(JSON.stringify(records.read(key.publicKey)?.addrs)).toBe(JSON.stringify(newer.value.addrs))
  })

  it('refuses what is of another network, forged, revoked, or of nobody', async () => {
    const records = recordsOver(store, {
      membership: {
        isMember: (each) => each[0] === key.publicKey[0],
        isRevoked: (each) => each[0] === keyOf(5).publicKey[0]
      }
    })
    const foreign = sealRecord({ ...aRecord, networkId: otherNetworkId }, key)
    await expect(records.put(foreign.bytes)).rejects.toThrow(WrongNetworkError)
    const forged = recordOf(key, 9).bytes.slice()
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
    await expect(records.put(forged)).rejects.toThrow('signature')
    await expect(records.put(recordOf(keyOf(5), 1).bytes)).rejects.toThrow(RevokedError)
    await expect(records.put(recordOf(keyOf(6), 1).bytes, { hold: false })).rejects.toThrow(NotMemberError)
    await expect(records.put(new Uint8Array(5000))).rejects.toThrow('bytes')
    expect(records.count()).toBe(0)
  })

  it.each([
    ['ends', NotMemberError],
    ['is revoked', RevokedError]
  ])('refuses one whose membership %s while it waits to be written', async (how, error) => {
    let isWriting = false
    const records = recordsOver(store, {
      membership: { isMember: () => !isWriting, isRevoked: () => isWriting && how === 'is revoked' },
      commit: {
        write: (run) => {
          isWriting = true
          return store.write(run)
        }
      }
    })
    await expect(records.put(recordOf(key, 1).bytes)).rejects.toThrow(error)
    expect(records.count()).toBe(0)
  })

  it('takes one that comes twice at the same time once', async () => {
    const records = recordsOver(store)
    expect(records.lastChange()).toBe(0)
    const { bytes } = recordOf(key, 1)
    const results = await Promise.all([records.put(bytes), records.put(bytes)])
    // Which of the two was verified first is up to the thread pool.
    expect(results.filter(({ accepted }) => accepted)).toHaveLength(1)
    expect(records.lastChange()).toBe(1)
  })

  it('refuses a record of another key than the one that must have signed it, also one that it has already', async () => {
    const records = recordsOver(store)
    const { bytes } = recordOf(key, 1)
    const signer = keyOf(5).publicKey
    await expect(records.put(bytes, { signer })).rejects.toThrow(InvalidEnvelopeError)
    expect(await records.put(bytes, { signer: key.publicKey })).toMatchObject({ accepted: true })
    await expect(records.put(bytes, { signer })).rejects.toThrow(InvalidEnvelopeError)
    expect(records.read(signer)).toBeUndefined()
    expect(records.read(key.publicKey)?.seq).toBe(1)
  })

  it('tells of two records with one seq, whichever of them stays', async () => {
    const conflicts: RecordConflict[] = []
    const records = recordsOver(store, { onConflict: (conflict) => conflicts.push(conflict) })
    const [low, high] = [recordOf(key, 1), recordOf(key, 1, { tags: ['clone'] })].toSorted((a, b) =>
      compareRecords(orderOf(a), orderOf(b))
    )
    await records.put(low?.bytes ?? new Uint8Array())
    expect(await records.put(high?.bytes ?? new Uint8Array())).toMatchObject({ accepted: true })
    await expect(records.put(low?.bytes ?? new Uint8Array())).rejects.toThrow(StaleRecordError)
    expect(conflicts).toHaveLength(2)
    expect(conflicts[0]).toMatchObject({ publicKey: key.publicKey, seq: 1 })
  })

  it('keeps one row however often one key registers', async () => {
    const records = recordsOver(store)
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 50 }, (_, i) => records.put(recordOf(key, 1 + round * 50 + i).bytes).catch(() => 0))
      )
    }
    expect(records.count()).toBe(1)
    expect(records.changesAfter(0, 10)).toHaveLength(1)
    expect(records.get(key.publicKey)?.seq).toBe(500)
  })

  it('tells of a record when it is durable, with where it came from', async () => {
    const events: RecordEvent[] = []
    const records = recordsOver(store, {
      onRecord: (event) => {
        expect(store.db.inTransaction).toBe(false)
        events.push(event)
      }
    })
    await records.put(recordOf(key, 1).bytes, { source: 'gossip' })
    expect(events).toMatchObject([{ change: 1, source: 'gossip', record: { value: { seq: 1 } } }])
  })

  it('forgets a record with its membership, and never gives its change number again', async () => {
    const records = recordsOver(store)
    await records.put(recordOf(key, 1).bytes)
    await records.put(recordOf(keyOf(5), 1).bytes)
    await records.forget(keyOf(5).publicKey)
    expect(records.get(keyOf(5).publicKey)).toBeUndefined()
    expect(records.lastChange()).toBe(2)
    expect(await records.put(recordOf(key, 2).bytes)).toMatchObject({ change: 3 })
  })
})

const idOf = (publicKey: Uint8Array): string => Buffer.from(publicKey).toString('hex')

/** Members are those in the set. */
const strangers = (members: Set<string>): Membership => ({
  isMember: (each) => members.has(idOf(each)),
  isRevoked: () => false
})

describe('a record that comes before its admit entry', () => {
  it('is taken when the entry comes', async () => {
    const members = new Set<string>()
    const records = recordsOver(store, { membership: strangers(members) })
    const waiting = records.put(recordOf(key, 1).bytes)
    await expect.poll(() => records.held).toBe(1)
    members.add(Buffer.from(key.publicKey).toString('hex'))
    records.admitted(key.publicKey)
    expect(await waiting).toMatchObject({ accepted: true })
    expect(records.held).toBe(0)
  })

  it('is refused when it does not come in time', async () => {
    const records = recordsOver(store, { membership: strangers(new Set()), limits: { holdMs: 5 } })
    await expect(records.put(recordOf(key, 1).bytes)).rejects.toThrow(NotMemberError)
    expect(records.held).toBe(0)
  })

  it('makes room for a newer one of the same key, and for no more keys than the limit', async () => {
    const records = recordsOver(store, { membership: strangers(new Set()), limits: { heldRecords: 2 } })
    const first = records.put(recordOf(key, 1).bytes)
    const settled = Promise.allSettled([first])
    await expect.poll(() => records.held).toBe(1)
    const others = [records.put(recordOf(key, 2).bytes), records.put(recordOf(keyOf(5), 1).bytes, { asker: 'b' })]
    const closed = Promise.allSettled(others)
    expect(await settled).toMatchObject([{ reason: { name: 'StaleRecordError' } }])
    await expect.poll(() => records.held).toBe(2)
    await expect(records.put(recordOf(keyOf(6), 1).bytes, { asker: 'c' })).rejects.toThrow(LimitError)
    await expect(records.put(recordOf(key, 1).bytes)).rejects.toThrow('a newer record of this key is waiting')
    records.close()
    expect(await closed).toMatchObject([
      { reason: { name: 'UnavailableError' } },
      { reason: { name: 'UnavailableError' } }
    ])
  })
})

describe('the room for records that wait', () => {
  it('has a share for each asker: one that fills its own takes nobody else’s', async () => {
    const records = recordsOver(store, { membership: strangers(new Set()), limits: { heldRecords: 8 } })
    const put = (number: number, asker: string) => records.put(recordOf(keyOf(number), 1).bytes, { asker })
    const kept = Promise.allSettled([put(11, 'a'), put(12, 'a')])
    await expect.poll(() => records.held).toBe(2)
    await expect(put(13, 'a')).rejects.toThrow('too many')
    const other = Promise.allSettled([put(14, 'b')])
    await expect.poll(() => records.held).toBe(3)
    records.close()
    expect([...(await kept), ...(await other)]).toHaveLength(3)
  })
})

describe('reading on while writes go on', () => {
  const keys = Array.from({ length: 24 }, () => SigningKey.generate())
  /** Per step: a write of one of the keys, or the read of a page. */
  const anySteps = fc.array(fc.oneof(fc.nat(keys.length - 1), fc.constant('read' as const)), { maxLength: 80 })

  it('shows a reader every latest version once, and ends with what is stored', async () => {
    const versions = keys.map((each) => [1, 2, 3, 4].map((seq) => recordOf(each, seq)))
    await fc.assert(
      fc.asyncProperty(anySteps, fc.integer({ min: 1, max: 7 }), async (steps, limit) => {
        using fresh = openTestStore()
        const records = recordsOver(fresh)
        const written = new Map<number, number>()
        const seen: { id: string; seq: number }[] = []
        let position = 0
        const read = () => {
          const rows = records.changesAfter(position, limit)
          for (const row of rows) seen.push({ id: Buffer.from(row.publicKey).toString('hex'), seq: row.seq })
          position = rows.at(-1)?.change ?? position
          return rows.length
        }
        for (const step of steps) {
          if (step === 'read') read()
          else await records.put(versions[step]?.[nextOf(written, step)]?.bytes ?? new Uint8Array()).catch(() => 0)
        }
        while (read() > 0);
        expect(new Set(seen.map(({ id, seq }) => `${id} ${seq}`)).size).toBe(seen.length)
        const latest = new Map(seen.map(({ id, seq }) => [id, seq]))
        expect(latest.size).toBe(records.count())
        for (const [id, seq] of latest) expect(records.get(Buffer.from(id, 'hex'))?.seq).toBe(seq)
      }),
      { numRuns: 15 }
    )
  })
})

describe('the digest', () => {
  const others = Array.from({ length: 40 }, () => SigningKey.generate())

  it('is the same for the same records, also after a restart and after a record is gone', async () => {
    using second = openTestStore()
    const [a, b] = [recordsOver(store), recordsOver(second)]
    a.digest()
    const sealed = others.map((each) => recordOf(each, 1))
    for (const record of sealed) await a.put(record.bytes)
    for (const record of sealed.toReversed()) await b.put(record.bytes)
    expect(a.digest()).toEqual(b.digest())
    await a.put(recordOf(others[0] ?? key, 2).bytes)
    expect(a.digest()).not.toEqual(b.digest())
    await b.put(a.get(others[0]?.publicKey ?? key.publicKey)?.envelope ?? new Uint8Array())
    await Promise.all([a, b].map((each) => each.forget(others[1]?.publicKey ?? key.publicKey)))
    expect(a.digest()).toEqual(b.digest())
    expect(recordsOver(second).digest()).toEqual(a.digest())
    // The key of somebody who had none.
    await a.forget(SigningKey.generate().publicKey)
    expect(a.digest()).toEqual(b.digest())
  })

  it('is the same when it is built in slices, while records change and go', async () => {
    const many = Array.from({ length: 2_100 }, () => SigningKey.generate())
    await Promise.all(many.map((each) => recordsOver(store).put(recordOf(each, 1).bytes)))
    const records = recordsOver(store)
    const built = records.prepareDigest()
    await Promise.all([
      ...[many[0], many[2_099]].map((each) => records.put(recordOf(each ?? key, 2).bytes)),
      ...[many[1], many[2_098]].map((each) => records.forget(each?.publicKey ?? key.publicKey))
    ])
    await built
    expect(records.digest()).toEqual(recordsOver(store).digest())
  })

  it('leads to the records that differ, page by page, each once', async () => {
    using second = openTestStore()
    const [a, b] = [recordsOver(store), recordsOver(second)]
    const sealed = others.map((each) => recordOf(each, 1))
    await Promise.all(sealed.map((record) => a.put(record.bytes)))
    await Promise.all(sealed.slice(10).map((record) => b.put(record.bytes)))
    const [mine, theirs] = [a.digest(), b.digest()]
    const differing = Array.from({ length: mine.length / bucketDigestBytes }, (_, bucket) => bucket).filter(
      (bucket) => {
        const from = bucket * bucketDigestBytes
        return Buffer.compare(mine.subarray(from, from + 8), theirs.subarray(from, from + 8)) !== 0
      }
    )
    const found: string[] = []
    for (let page = a.inBuckets(differing, undefined, 3); ; page = a.inBuckets(differing, page.next, 3)) {
      found.push(...page.rows.map((row) => Buffer.from(row.publicKey).toString('hex')))
      for (const row of page.rows) await b.put(row.envelope)
      if (page.next === undefined) break
    }
    expect(new Set(found).size).toBe(found.length)
    expect(found.length).toBeGreaterThanOrEqual(10)
    expect(b.digest()).toEqual(mine)
  })
})

const orderOf = (record: { value: { seq: number }; hash: Uint8Array }) => ({ seq: record.value.seq, hash: record.hash })

const nextOf = (written: Map<number, number>, index: number): number => {
  const next = written.get(index) ?? 0
  written.set(index, next + 1)
  return next
}
