import { beforeEach, describe, expect, it } from 'vitest'
import type { Root } from '../../../../../src/registry/log/log-writer.ts'
import { openReplica } from '../../../../../src/registry/log/replica.ts'
import { sealEntry } from '../../../../../src/registry/objects/entry.ts'
import { openDatabase } from '../../../../../src/registry/store/database.ts'
import { GroupCommit } from '../../../../../src/registry/store/group-commit.ts'
import { silentLogger } from '../../../../../src/runtime/clock-and-logger.ts'
import {
  keyNumber,
  LogNetwork,
  type OpenStore,
  refusalOf,
  sendDelta,
  sendSnapshot
} from '../../../../helpers/log-network.ts'

let network: LogNetwork
let store: OpenStore & { root: Root }

beforeEach(async () => {
  network = new LogNetwork()
  store = await network.start()
  await store.root.append([1, 2, 3].map((member) => network.admit(store.replica.networkId, member)))
  await store.root.append([network.revoke(2), network.renew(store.replica, 3)])
})

/** Edits the file of the closed store, and opens it again. */
async function reopen(sql: string): Promise<string> {
  store.close()
  const db = openDatabase(store.path)
  db.exec(sql)
  db.close()
  return refusalOf(network.open(store.path))
}

describe('a store', () => {
  it('opens as it was closed', async () => {
    expect(await reopen('SELECT 1')).toBe('taken')
  })

  it.each([
    ['an entry is missing', 'DELETE FROM log WHERE n = 3'],
    ['an entry was edited', 'UPDATE log SET envelope = (SELECT envelope FROM log WHERE n = 4) WHERE n = 3'],
    [
      'an entry and its hash were edited',
      'UPDATE log SET (envelope, hash) = (SELECT envelope, hash FROM log WHERE n = 4) WHERE n = 3'
    ],
    ['an entry is at another place', 'UPDATE log SET n = 2000 WHERE n = 7'],
    ['a revoke is hidden', 'UPDATE log SET superseded = 6 WHERE n = 6'],
    ['an entry that was superseded is live again', 'UPDATE log SET superseded = NULL WHERE n = 4'],
    ['the newest entry is missing', 'DELETE FROM log WHERE n = 7'],
    ['all entries are missing', 'DELETE FROM log WHERE n > 0'],
    ['the checkpoint is another object', 'UPDATE checkpoint SET envelope = (SELECT envelope FROM log WHERE n = 0)'],
    ['the bytes of an entry are none', "UPDATE log SET envelope = x'00' WHERE n = 3"]
  ])('is refused when %s', async (_, sql) => {
    expect(await reopen(sql)).toBe('StoreError')
  })

  it('is checked for its chain also without a checkpoint', async () => {
    expect(await reopen('UPDATE checkpoint SET envelope = NULL; DELETE FROM log WHERE n = 3')).toBe('StoreError')
  })

  it('is refused when an entry in it is sound by itself and does not follow from the one before', async () => {
    const { networkId } = store.replica
    const position = { networkId, n: 4, prevHash: new Uint8Array(32), epoch: 0, timeMs: 1 }
    const { hash, bytes } = sealEntry({ ...position, ...network.revoke(9) }, network.logKey)
    store.close()
    const db = openDatabase(store.path)
    // Superseded, so that nothing but the chain is looked at.
    db.prepare('UPDATE log SET hash = ?, envelope = ? WHERE n = 4').run(hash, bytes)
    db.close()
    await expect(network.open(store.path)).rejects.toThrow('entry 4 does not follow from the one before')
  })

  it.each(['UPDATE checkpoint SET envelope = NULL', 'DELETE FROM checkpoint'])(
    'without a checkpoint opens with what its entries say (%s)',
    async (sql) => {
      const root = store.replica.state.root()
      store.close()
      const db = openDatabase(store.path)
      db.exec(sql)
      db.close()
      const again = await network.open(store.path)
      expect(again.replica.state.root()).toEqual(root)
      expect(again.replica.checkpoint).toBeUndefined()
    }
  )

  it('that lost its genesis is refused', async () => {
    const genesis = store.replica.genesis.bytes
    expect(await reopen('DELETE FROM log WHERE n = 0')).toBe('StoreError')
    expect(await refusalOf(network.open(store.path, genesis))).toBe('StoreError')
  })

  it('with entries behind its checkpoint opens with all of them', async () => {
    const follower = await network.follower(store.replica)
    await sendDelta(store.replica, follower.replica)
    await store.root.append([network.admit(store.replica.networkId, 4), network.registrySet(4)])
    await store.root.append([network.registrySet(4, true), network.revoke(1)])
    const behind = store.replica.read(follower.replica.head.n, 1e6).map(({ envelope }) => envelope)
    await follower.replica.apply(behind)
    expect(follower.replica.checkpoint?.value.n).toBe(7)
    follower.close()
    const again = await network.open(follower.path)
    expect(again.replica.head).toEqual(store.replica.head)
    expect(again.replica.state.root()).toEqual(store.replica.state.root())
    await sendDelta(store.replica, again.replica)
    expect(again.replica.checkpoint?.value.n).toBe(store.replica.head.n)
  })

  it('of another network is refused', async () => {
    store.close()
    const other = await new LogNetwork().start()
    // Made at the same time with the same keys it would be the same network.
    const foreign = new LogNetwork()
    foreign.clock.nowMs += 1
    const { genesis } = await foreign.create()
    expect(await refusalOf(network.open(store.path, genesis.bytes))).toBe('StoreError')
    expect(other.replica.head.n).toBe(2)
  })

  it('without a network needs a genesis', async () => {
    const db = openDatabase(network.newPath())
    const commit = new GroupCommit(db)
    const { clock } = network
    expect(await refusalOf(openReplica({ db, commit, clock, logger: silentLogger }))).toBe('LogMismatchError')
    db.close()
  })
})

describe('compaction', () => {
  it('drops what was superseded two weeks ago, and serves a snapshot to those who are further behind', async () => {
    const { root, replica } = store
    const late = await network.follower(replica)
    const middle = await network.follower(replica)
    await sendDelta(replica, middle.replica)
    for (let i = 0; i < 30; i++) {
      network.clock.nowMs += 24 * 3_600_000
      await root.append([network.renew(replica, 3)])
    }
    const { rows } = replica.state
    const before = replica.state.root()
    expect(await replica.compact()).toBeGreaterThan(0)
    expect(await replica.compact()).toBe(0)
    expect(replica.floor).toBeGreaterThan(7)
    expect(replica.state.root()).toEqual(before)
    expect(replica.state.rows).toBe(rows)
    expect(replica.linkHash(4)).toBeUndefined()
    expect(replica.resumePoint(late.replica.head)).toEqual({ mode: 'snapshot' })
    expect(replica.resumePoint(middle.replica.head)).toEqual({ mode: 'snapshot' })
    expect(replica.resumePoint(replica.head)).toEqual({ mode: 'delta', afterN: replica.head.n })
    expect(replica.hasSnapshotAt(0, replica.floor - 1)).toBe(false)
    expect(replica.hasSnapshotAt(0, replica.head.n)).toBe(true)
    await sendSnapshot(replica, late.replica)
    await sendSnapshot(replica, middle.replica)
    expect(late.replica.state.root()).toEqual(before)
    expect(middle.replica.state.root()).toEqual(before)
    store.close()
    const again = await network.open(store.path)
    expect(again.replica.state.root()).toEqual(before)
    expect(again.replica.floor).toBe(replica.floor)
  })

  it('leaves a young log alone', async () => {
    expect(await store.replica.compact()).toBe(0)
    expect(store.replica.floor).toBe(0)
  })
})

describe('reading', () => {
  it('gives pages by bytes, at least one entry each', () => {
    const { replica } = store
    expect(replica.read(0, 1)).toHaveLength(1)
    expect(replica.read(0, 1e9).map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(replica.read(7, 1e9)).toEqual([])
    const two = replica.read(0, 1e9).slice(0, 2)
    const bytes = two.reduce((sum, { envelope }) => sum + envelope.length, 0)
    expect(replica.read(0, bytes)).toHaveLength(2)
    expect(replica.readLive(-1, 1e9, replica.head.n).map(({ n }) => n)).toEqual(replica.state.live())
  })

  it('goes on over more entries than one page of the store', async () => {
    const { replica, root } = store
    await root.append(Array.from({ length: 300 }, (_, i) => network.admit(replica.networkId, 100 + i)))
    expect(replica.read(0, 1e9)).toHaveLength(307)
    expect(replica.readLive(-1, 1e9, replica.head.n)).toHaveLength(replica.state.rows)
  })

  it('stands where a reader is', () => {
    const { replica } = store
    const at = (n: number, epoch = 0) => ({ epoch, n, hash: replica.linkHash(n) ?? new Uint8Array(32) })
    expect(replica.resumePoint(at(3))).toEqual({ mode: 'delta', afterN: 3 })
    expect(replica.resumePoint(at(3, 1))).toEqual({ mode: 'delta', afterN: 7 })
    expect(replica.resumePoint(at(99))).toEqual({ mode: 'delta', afterN: 7 })
    expect(replica.resumePoint({ ...at(3), hash: new Uint8Array() })).toEqual({ mode: 'snapshot' })
    expect(replica.resumePoint({ ...at(3), hash: new Uint8Array(32) })).toEqual({ mode: 'delta', afterN: 2 })
  })

  it('gives back the entries of a member', () => {
    const member = store.replica.state.member(keyNumber(3).publicKey)
    expect(member?.admit.value.kind).toBe('admit')
    expect(member?.renew?.value.kind).toBe('renew')
    expect(store.replica.state.member(keyNumber(1).publicKey)?.renew).toBeUndefined()
    expect(() => store.replica.ledger.source(99)).toThrow('missing')
  })
})
