import { equals } from 'uint8arrays/equals'
import { beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../../../../src/identity/hash.ts'
import { OtherEpochError } from '../../../../../src/registry/log/apply-entries.ts'
import { type Root, sealAuthority, sealDelegation } from '../../../../../src/registry/log/log-writer.ts'
import type { Replica } from '../../../../../src/registry/log/replica.ts'
import { sealCheckpoint } from '../../../../../src/registry/objects/checkpoint.ts'
import { sealEntry } from '../../../../../src/registry/objects/entry.ts'
import {
  keyNumber,
  LogNetwork,
  type OpenStore,
  refusalOf,
  sendDelta,
  sendSnapshot
} from '../../../../helpers/log-network.ts'

let network: LogNetwork
let root: Root
let source: Replica
let follower: OpenStore
let replica: Replica

const key = (member: number): Uint8Array => keyNumber(member).publicKey
const live = (): Uint8Array[] => source.readLive(-1, 1e9, source.head.n).map(({ envelope }) => envelope)
const checkpoint = (): Uint8Array => source.checkpoint?.bytes ?? new Uint8Array()
const blameless = (error: unknown): boolean => error instanceof OtherEpochError
const blamed = (promise: Promise<unknown>): Promise<boolean> =>
  promise.then(
    () => false,
    (error: unknown) => !blameless(error)
  )

beforeEach(async () => {
  network = new LogNetwork()
  const store = await network.start()
  root = store.root
  source = store.replica
  await root.append([1, 2, 3, 4, 5].map((member) => network.admit(source.networkId, member)))
  follower = await network.follower(source)
  replica = follower.replica
})

describe('the keys of a snapshot', () => {
  const openEpoch = async (): Promise<void> => {
    await source.apply([sealDelegation(source, network.authority, key(1005)).bytes])
    await network.rootOf(source, keyNumber(1005)).checkpoint()
  }

  it('of an epoch that is not known are shown before it, or nothing of it is kept and nobody is blamed', async () => {
    await openEpoch()
    const before = replica.stage(live().slice(0, 2), checkpoint())
    expect(await blamed(before)).toBe(false)
    expect(await refusalOf(before)).toBe('LogMismatchError')
    expect(replica.staged()).toBeUndefined()
    const delegations = source.delegations()
    expect(await replica.stage(live().slice(0, 2), checkpoint(), { delegations })).toMatchObject({ rows: 2 })
  })

  it('are those to which the authority led', async () => {
    const forged = sealDelegation(source, keyNumber(9), key(9))
    await openEpoch()
    for (const delegations of [[forged.bytes], [...source.delegations(), ...source.delegations()]]) {
      expect(await blamed(replica.stage(live(), checkpoint(), { delegations }))).toBe(true)
    }
    const many = Array.from({ length: 129 }, () => forged.bytes)
    expect(await refusalOf(replica.stage(live(), checkpoint(), { delegations: many }))).toBe('LimitError')
    const delegations = source.delegations()
    const { value } = source.checkpoint ?? { value: undefined }
    if (value === undefined) throw new Error('no checkpoint')
    for (const lie of [sealCheckpoint(value, keyNumber(9)), sealCheckpoint({ ...value, epoch: 7 }, keyNumber(1005))]) {
      expect(await blamed(replica.stage(live(), lie.bytes, { delegations }))).toBe(true)
    }
    // The key of an older epoch above the place where the newer one branched off.
    const old = sealCheckpoint({ ...value, epoch: 0, n: value.n + 1 }, network.logKey)
    expect(await blamed(replica.stage(live(), old.bytes, { delegations }))).toBe(true)
    expect(replica.staged()).toBeUndefined()
  })

  it('are those in its rows, too: one that hides a rotation of the authority, which it shows beside them, is refused', async () => {
    await source.apply([sealAuthority(source, network.nextAuthority, sha256(key(1006))).bytes])
    await root.append([network.renew(source, 1)])
    await sendDelta(source, replica)
    await root.append([network.renew(source, 2)])
    const { value } = source.checkpoint ?? { value: undefined }
    if (value === undefined) throw new Error('no checkpoint')
    const rows = source
      .readLive(-1, 1e9, value.n)
      .filter(({ envelope }) => !source.delegations().some((each) => equals(each, envelope)))
    const lie = sealCheckpoint({ ...value, rows: rows.length }, network.logKey)
    const staged = replica.stage(
      rows.map(({ envelope }) => envelope),
      lie.bytes,
      { delegations: source.delegations() }
    )
    await expect(staged).rejects.toThrow('takes a rotation of the authority back')
    expect([replica.staged(), replica.head.n]).toEqual([undefined, value.n - 1])
  })

  it('leave out nothing that is held and counts', async () => {
    const third = keyNumber(1006)
    await source.apply([sealAuthority(source, network.nextAuthority, sha256(third.publicKey)).bytes])
    await root.checkpoint()
    await sendDelta(source, replica)
    // A thief of the authority's key of the past hides that it was replaced.
    const { networkId, head } = replica
    const place = { networkId, n: head.n + 5, prevHash: head.hash, epoch: 1, timeMs: 1 }
    const hiding = sealEntry({ ...place, kind: 'delegate', body: { logKey: key(9) } }, network.authority)
    const made = {
      networkId,
      epoch: 1,
      n: head.n + 9,
      headHash: head.hash,
      stateRoot: head.hash,
      rows: 9,
      bytes: 9_999
    }
    const lie = sealCheckpoint({ ...made, timeMs: 1 }, keyNumber(9))
    const tried = replica.stage([source.genesis.bytes], lie.bytes, { delegations: [hiding.bytes] })
    await expect(tried).rejects.toThrow(/leave out entry/)
    const fresh = (await network.follower(source)).replica
    await sendSnapshot(source, fresh)
    expect(fresh.head).toEqual(source.head)
  })

  it('sign its entries, and delegations are those that were shown', async () => {
    const { networkId, head } = source
    const place = { networkId, n: 2, prevHash: head.hash, epoch: 0, timeMs: 1 }
    const forged = sealEntry({ ...place, ...network.revoke(1) }, keyNumber(9))
    const delegate = sealEntry({ ...place, epoch: 1, kind: 'delegate', body: { logKey: key(9) } }, network.authority)
    for (const entry of [forged, delegate]) {
      const tried = replica.stage([source.genesis.bytes, entry.bytes], checkpoint())
      await expect(tried).rejects.toThrow(/is not signed by the log key/)
    }
    expect(replica.staged()).toMatchObject({ rows: 0 })
    await openEpoch()
    await sendSnapshot(source, replica)
    expect(replica.head).toEqual(source.head)
  })
})

describe('what was staged before a restart', () => {
  const reopen = async (): Promise<Replica> => {
    follower.close()
    return (await network.open(follower.path)).replica
  }

  it('goes on with the keys that were shown', async () => {
    await source.apply([sealDelegation(source, network.authority, key(1005)).bytes])
    await network.rootOf(source, keyNumber(1005)).checkpoint()
    const delegations = source.delegations()
    const { upTo } = await replica.stage(live().slice(0, 3), checkpoint(), { delegations, from: 'one' })
    const again = await reopen()
    expect(again.staged()).toMatchObject({ epoch: 1, rows: 3, upTo })
    expect(await again.stage(live().slice(3), undefined, { from: 'one' })).toMatchObject({ done: true })
    expect(again.head).toEqual(source.head)
  })

  it('is deleted where nothing leads to its key, as older versions kept it', async () => {
    await source.apply([sealDelegation(source, network.authority, key(1005)).bytes])
    await network.rootOf(source, keyNumber(1005)).checkpoint()
    await replica.stage(live().slice(0, 3), checkpoint(), { delegations: source.delegations() })
    follower.db.prepare('DELETE FROM staged WHERE n < -1').run()
    const again = await reopen()
    expect(again.staged()).toBeUndefined()
    expect(again.ledger.table.stagedSize().rows).toBe(0)
  })

  it('is deleted when the log has overtaken it', async () => {
    await replica.stage(live().slice(0, 3), checkpoint())
    await sendDelta(source, replica)
    expect((await reopen()).ledger.table.stagedSize().rows).toBe(0)
  })
})

describe('two sources of a snapshot', () => {
  it('send one after the other: the second goes on once the first has left, or sends no more for 10 s', async () => {
    await replica.stage(live().slice(0, 2), checkpoint(), { from: 'one' })
    const busy = replica.stage(live().slice(0, 3), checkpoint(), { from: 'two' })
    await expect(busy).rejects.toThrow(/another registry sends a snapshot/)
    expect(await blamed(busy)).toBe(false)
    expect(await replica.stage(live().slice(2, 3), undefined, { from: 'one' })).toMatchObject({ rows: 3 })
    network.clock.nowMs += 10_000
    // Asked for when less was there.
    expect(await replica.stage(live().slice(2, 4), undefined, { from: 'two' })).toMatchObject({ rows: 4 })
    replica.leaveStage('one')
    await expect(replica.stage([], checkpoint(), { from: 'one' })).rejects.toThrow(/another registry/)
    replica.leaveStage('two')
    expect(await replica.stage(live().slice(4), undefined, { from: 'one' })).toMatchObject({ done: true })
    expect(replica.head).toEqual(source.head)
  })

  it('do not give up what the other one sends', async () => {
    await replica.stage(live().slice(0, 2), checkpoint(), { from: 'one' })
    await replica.dropStaged('two')
    expect(replica.staged()).toMatchObject({ rows: 2 })
    await replica.dropStaged('one')
    expect(replica.staged()).toBeUndefined()
  })

  it('are not blamed for what does not fit together, one alone is', async () => {
    for (let renewal = 0; renewal < 2; renewal++) {
      network.clock.nowMs += 1_000
      await root.append([network.renew(source, 1)])
    }
    // The first renewal: signed, but superseded. Whoever goes on after it can only fail.
    const poison = source.read(source.head.n - 2, 1).map(({ envelope }) => envelope)
    const poisoned = [...live().slice(0, -1), ...poison]
    const half = 3
    const alone = replica.stage(poisoned, checkpoint(), { from: 'one' })
    expect(await blamed(alone)).toBe(true)
    expect(replica.staged()).toBeUndefined()
    await replica.stage(poisoned.slice(0, half), checkpoint(), { from: 'one' })
    replica.leaveStage('one')
    const rest = replica.stage(poisoned.slice(half), undefined, { from: 'two' })
    await expect(rest).rejects.toThrow(/came from several registries/)
    expect(await blamed(rest)).toBe(false)
    await sendSnapshot(source, replica)
    expect(replica.head).toEqual(source.head)
  })
})
