import { describe, expect, it } from 'vitest'
import { SelfRecord } from '../../../../src/node/self/record.ts'
import type { RecordStore } from '../../../../src/registry/objects/record-additions.ts'
import { systemClock } from '../../../../src/runtime/clock-and-logger.ts'
import { keyOf, networkId } from '../../../helpers/signed-objects.ts'

const store = (name: string, fill = 1): RecordStore => ({ name, digest: new Uint8Array(32).fill(fill) })

/** The record of a node that names these stores, with what it keeps between two starts. */
class Sharer {
  stores: RecordStore[] = []
  addrs = ['/ip6/2001:db8::1/tcp/9000']
  #saved: Uint8Array | undefined

  start(): SelfRecord {
    const save = async (envelope: Uint8Array): Promise<void> => {
      this.#saved = envelope
    }
    return new SelfRecord({
      networkId,
      key: keyOf(4),
      role: 'integrated',
      software: 'trustnet/0.1.0',
      addrs: () => this.addrs,
      clock: systemClock,
      offers: () => ({ services: [], stores: this.stores }),
      store: { load: () => this.#saved, save }
    })
  }
}

describe('stores in the own record', () => {
  it('are named in order, and the record is right for as long as they are these', async () => {
    const sharer = new Sharer()
    const record = sharer.start()
    sharer.stores = [store('music'), store('maps')]
    expect((await record.issue()).value.stores).toEqual([store('maps'), store('music')])
    expect([record.isRight, sharer.start().isRight]).toEqual([true, true])
    sharer.stores = [store('music', 2), store('maps')]
    expect(record.isRight).toBe(false)
    expect((await record.issue()).value.stores).toEqual([store('maps'), store('music', 2)])
    sharer.stores = []
    expect(record.isRight).toBe(false)
    expect((await record.issue()).value.stores).toBeUndefined()
    expect([record.isRight, sharer.start().isRight]).toEqual([true, true])
  })

  it('for which there is no room are left out, the least important first, and do not make it wrong again and again', async () => {
    const sharer = new Sharer()
    sharer.addrs = Array.from({ length: 8 }, (_, index) => `/ip6/2001:db8::${index + 1}/tcp/9000`)
    sharer.stores = Array.from({ length: 8 }, (_, index) => store(`${index}`.repeat(63)))
    const record = sharer.start()
    const { value, bytes } = await record.issue()
    const named = value.stores ?? []
    expect(bytes.length).toBeLessThanOrEqual(1024)
    expect(named.length).toBeGreaterThan(0)
    expect(named).toEqual(sharer.stores.slice(0, named.length))
    expect(record.isRight).toBe(true)
    sharer.stores = sharer.stores.toReversed()
    expect(record.isRight).toBe(false)
    await record.issue()
    expect(record.isRight).toBe(true)
  })

  it('are not named by one who leaves', async () => {
    const sharer = new Sharer()
    sharer.stores = [store('music')]
    expect((await sharer.start().issue({ left: true })).value.stores).toBeUndefined()
  })
})
