import * as fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { MetaTable } from '../../../../src/registry/store/meta-table.ts'
import type { NodeRow } from '../../../../src/registry/store/node-table.ts'
import { openTestStore, type TestStore } from '../../../helpers/observations.ts'
import { keyNumber } from '../../../helpers/registry/liveness.ts'

const openStore = (): TestStore => {
  const store = openTestStore()
  onTestFinished(() => store[Symbol.dispose]())
  return store
}

const row = (change: Partial<NodeRow> = {}): NodeRow => ({
  publicKey: keyNumber(1),
  firstSeenMs: 1,
  lastHeartbeatMs: null,
  state: 1,
  stateSinceMs: 2,
  source: null,
  reason: '',
  learnedFrom: 'session',
  uptimeMs: 3,
  observedMs: 4,
  reputation: 50,
  rttMs: null,
  lastAddress: null,
  lastConnectedMs: null,
  lastError: null,
  lastErrorMs: null,
  ...change
})

const ms = fc.nat(2 ** 48)
const rows = fc.record({
  publicKey: fc.nat(1_000).map(keyNumber),
  firstSeenMs: ms,
  lastHeartbeatMs: fc.option(ms),
  state: fc.integer({ min: 1, max: 6 }),
  stateSinceMs: ms,
  source: fc.option(fc.nat(1_000).map(keyNumber)),
  reason: fc.string({ maxLength: 40 }).filter((text) => !text.includes('\0')),
  learnedFrom: fc.constantFrom('session', 'sync', 'gossip', ''),
  uptimeMs: ms,
  observedMs: ms,
  reputation: fc.double({ min: 0, max: 100, noNaN: true }),
  rttMs: fc.option(fc.double({ min: 0.001, max: 10_000, noNaN: true })),
  lastAddress: fc.option(fc.constant('/ip6/2001:db8::1/tcp/9000')),
  lastConnectedMs: fc.option(ms),
  lastError: fc.option(fc.constant('connection refused')),
  lastErrorMs: fc.option(ms)
})

const plain = ({ publicKey, source, ...rest }: NodeRow): object => ({
  ...rest,
  publicKey: Buffer.from(publicKey).toString('hex'),
  source: source === null ? null : Buffer.from(source).toString('hex')
})

describe('the rows of members', () => {
  it('come back as they were put, each column in its own field', () => {
    const { nodes } = openStore()
    fc.assert(
      fc.property(rows, (given) => {
        nodes.put(given)
        const found = nodes.get(given.publicKey)
        expect(found && plain(found)).toEqual(plain(given))
      }),
      { numRuns: 50 }
    )
  })

  it('stay over a restart, one for each member, the last that was put', async () => {
    const store = openStore()
    await store.write(() => {
      store.nodes.put(row({ reason: 'first' }))
      store.nodes.put(row({ reason: 'second' }))
      store.nodes.put(row({ publicKey: keyNumber(2) }))
    })
    const again = store.reopen()
    onTestFinished(() => again[Symbol.dispose]())
    expect(again.nodes.all().map(({ reason }) => reason)).toEqual(['second', ''])
    expect(again.nodes.get(keyNumber(3))).toBeUndefined()
  })

  it('refuse a key that is none', () => {
    const { nodes } = openStore()
    expect(() => nodes.put(row({ publicKey: new Uint8Array(31) }))).toThrow('CHECK')
  })

  it('go with the connections that the member told of, and with those alone', () => {
    const { nodes } = openStore()
    nodes.put(row())
    nodes.putPeers(keyNumber(1), [
      { toKey: keyNumber(2), sinceMs: 5 },
      { toKey: keyNumber(3), sinceMs: 6 }
    ])
    nodes.putPeers(keyNumber(2), [{ toKey: keyNumber(1), sinceMs: 7 }])
    nodes.putPeers(keyNumber(1), [{ toKey: keyNumber(3), sinceMs: 8 }])
    const told = (): number[][] =>
      nodes.peers().map(({ fromKey, toKey, sinceMs }) => [fromKey[3] ?? 0, toKey[3] ?? 0, sinceMs])
    expect(told()).toEqual([
      [1, 3, 8],
      [2, 1, 7]
    ])
    nodes.delete(keyNumber(1))
    expect([nodes.all(), told()]).toEqual([[], [[2, 1, 7]]])
  })
})

describe('small values of a store', () => {
  it('are replaced, removed, and undefined where there is none', async () => {
    const store = openStore()
    const meta = new MetaTable(store.db)
    expect(meta.get('seq')).toBeUndefined()
    await store.write(() => {
      meta.put('seq', Uint8Array.of(1))
      meta.put('seq', Uint8Array.of(2, 3))
      meta.put('empty', new Uint8Array())
    })
    expect([...(meta.get('seq') ?? [])]).toEqual([2, 3])
    expect(meta.get('empty')).toHaveLength(0)
    await store.write(() => meta.delete('seq'))
    await store.write(() => meta.delete('never there'))
    expect(meta.get('seq')).toBeUndefined()
  })

  it('are as before when the commit that changes them fails', async () => {
    const store = openStore()
    const meta = new MetaTable(store.db)
    await store.write(() => meta.put('seq', Uint8Array.of(1)))
    const failed = store.write(() => {
      meta.put('seq', Uint8Array.of(2))
      throw new Error('a rule forbids it')
    })
    await expect(failed).rejects.toThrow('a rule forbids it')
    expect([...(meta.get('seq') ?? [])]).toEqual([1])
  })
})
