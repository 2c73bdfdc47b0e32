import { beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../../../../src/identity/hash.ts'
import { requireMatch } from '../../../../../src/registry/log/load.ts'
import { type Root, sealAuthority, sealDelegation } from '../../../../../src/registry/log/log-writer.ts'
import type { Replica } from '../../../../../src/registry/log/replica.ts'
import { type Checkpoint, sealCheckpoint } from '../../../../../src/registry/objects/checkpoint.ts'
import { sealEntry } from '../../../../../src/registry/objects/entry.ts'
import { LogMismatchError } from '../../../../../src/runtime/errors.ts'
import {
  envelopesAfter,
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

beforeEach(async () => {
  network = new LogNetwork()
  const store = await network.start()
  root = store.root
  source = store.replica
  await root.append([1, 2, 3].map((member) => network.admit(source.networkId, member)))
  follower = await network.follower(source)
  replica = follower.replica
  await sendDelta(source, replica)
})

describe('an entry at a place that is held', () => {
  it('by a key that is not of the log is refused, and proves nothing', async () => {
    const position = { networkId: source.networkId, n: 4, prevHash: new Uint8Array(32), epoch: 0, timeMs: 1 }
    const forged = sealEntry({ ...position, ...network.revoke(1) }, keyNumber(9))
    expect(await refusalOf(replica.apply([forged.bytes]))).toBe('LogMismatchError')
    expect(replica.isForked).toBe(false)
  })

  it('and the next one by such a key that follows from another entry are refused, and prove nothing', async () => {
    const { n } = replica.head
    const position = { networkId: source.networkId, n: n + 1, prevHash: new Uint8Array(32), epoch: 0, timeMs: 1 }
    const forged = sealEntry({ ...position, ...network.revoke(1) }, keyNumber(9))
    expect(await refusalOf(replica.apply([forged.bytes]))).toBe('LogMismatchError')
    expect([replica.isForked, replica.head.n]).toEqual([false, n])
  })

  it('that a later epoch made void is refused, and proves nothing', async () => {
    await root.append([network.revoke(1)])
    const old = envelopesAfter(source, replica.head.n)
    await replica.apply([sealDelegation(replica, network.authority, key(1005)).bytes])
    expect(await refusalOf(replica.apply(old))).toBe('LogMismatchError')
    expect(replica.isForked).toBe(false)
  })

  it('that is compacted here cannot be compared, and changes nothing', async () => {
    await root.append([network.renew(source, 1)])
    await root.append([network.renew(source, 1)])
    const late = (await network.follower(source)).replica
    await sendSnapshot(source, late)
    expect(late.linkHash(6)).toBeUndefined()
    expect(await late.apply(envelopesAfter(source, 0), source.checkpoint?.bytes)).toEqual({ applied: 0 })
  })
})

describe('a delta', () => {
  it('goes beyond the checkpoint that comes with it, which then says nothing of the new head', async () => {
    const held = source.checkpoint
    await root.append([network.revoke(1)])
    expect(await replica.apply(envelopesAfter(source, replica.head.n), held?.bytes)).toEqual({ applied: 1 })
    expect(replica.head).toEqual(source.head)
    expect(replica.checkpoint?.value.n).toBe(source.head.n - 1)
  })

  it('with an entry of a newer version is followed, kept and sent on', async () => {
    const { n, hash: prevHash, epoch } = replica.head
    const position = { networkId: source.networkId, n: n + 1, prevHash, epoch, timeMs: 1 }
    const later = sealEntry({ ...position, kind: 'unknown', kindNumber: 99, body: Uint8Array.of(8, 1) }, network.logKey)
    await replica.apply([later.bytes])
    follower.close()
    const again = (await network.open(follower.path)).replica
    expect(again.head).toMatchObject({ n: n + 1, hash: later.hash })
    expect(envelopesAfter(again, n)).toEqual([later.bytes])
    expect(again.ledger.table.get(n + 1)?.kind).toBe(99)
  })
})

describe('a checkpoint', () => {
  it.each<[string, (held: Checkpoint) => Partial<Checkpoint>]>([
    ['another epoch', () => ({ epoch: 1 })],
    ['an entry below', ({ n }) => ({ n: n - 1 })],
    ['another entry', () => ({ headHash: new Uint8Array(32) })],
    ['another state', () => ({ stateRoot: new Uint8Array(32) })]
  ])('of %s does not match what is held', (_, change) => {
    const held = source.checkpoint
    if (held === undefined) throw new Error('the root has signed a checkpoint')
    requireMatch(held, replica.state)
    const other = sealCheckpoint({ ...held.value, ...change(held.value) }, network.logKey)
    expect(() => requireMatch(other, replica.state)).toThrow(LogMismatchError)
  })
})

describe('epochs one after the other', () => {
  it('branch off above others, whose keys then say who may sign', async () => {
    await replica.apply([sealAuthority(replica, network.nextAuthority, sha256(key(1011))).bytes])
    await replica.apply([sealDelegation(replica, network.nextAuthority, key(1005)).bytes])
    const one = network.rootOf(replica, keyNumber(1005))
    await one.append([network.admit(replica.networkId, 4)])
    const forkN = replica.head.n
    await one.append([network.admit(replica.networkId, 5)])
    // The first authority was replaced below that place, and the first log key is known there.
    const byOld = sealDelegation(replica, network.authority, key(1006), forkN)
    expect(await refusalOf(replica.apply([byOld.bytes]))).toBe('LogMismatchError')
    const withOldKey = sealDelegation(replica, network.nextAuthority, key(1005), forkN)
    expect(await refusalOf(replica.apply([withOldKey.bytes]))).toBe('LogMismatchError')
    await replica.apply([sealDelegation(replica, network.nextAuthority, key(1006), forkN).bytes])
    expect(replica.head).toMatchObject({ epoch: 2, n: forkN + 1 })
    expect([4, 5].map((member) => replica.isMember(key(member)))).toEqual([true, false])
    expect(replica.delegations()).toHaveLength(3)
    expect(replica.delegations()).toBe(replica.delegations())
  })

  it('each count for their part of the log', async () => {
    const first = replica.head.n
    await replica.apply([sealDelegation(replica, network.authority, key(1005)).bytes])
    const one = network.rootOf(replica, keyNumber(1005))
    await one.append([network.admit(replica.networkId, 4)])
    const second = replica.head.n
    await replica.apply([sealAuthority(replica, network.nextAuthority, sha256(key(1011))).bytes])
    await replica.apply([sealDelegation(replica, network.nextAuthority, key(1006)).bytes])
    const { keys } = replica.state
    expect([0, 1, 2].map((epoch) => replica.forkPointAfter(epoch))).toEqual([first, second + 1, undefined])
    expect(keys.isValidAt(0, first)).toBe(true)
    expect(keys.isValidAt(0, first + 1)).toBe(false)
    expect(keys.isValidAt(1, first)).toBe(false)
    expect(keys.isValidAt(1, first + 1)).toBe(true)
    expect(keys.isValidAt(3, first + 1)).toBe(false)

    // Nothing below the entry that made another key the authority: neither the new one, nor the one before, which would take it back.
    for (const authority of [network.nextAuthority, network.authority]) {
      const old = sealDelegation(replica, authority, key(1007), first)
      expect(await refusalOf(replica.apply([old.bytes]))).toBe('LogMismatchError')
    }
    await replica.apply([sealDelegation(replica, network.nextAuthority, key(1007), second + 1).bytes])
    expect(replica.head).toMatchObject({ epoch: 3, n: second + 2 })
    expect(replica.logKeyOf(2)).toBeUndefined()
    expect(replica.checkpoint?.value.n).toBe(second)
  })

  it('branch off only where something is held', () => {
    expect(() => sealDelegation(replica, network.authority, key(1005), 99)).toThrow('not held')
  })

  it('are not opened by a snapshot whose checkpoint another key signed', async () => {
    await source.apply([sealDelegation(source, network.authority, key(1005)).bytes])
    await network.rootOf(source, keyNumber(1005)).checkpoint()
    const held = source.checkpoint
    if (held === undefined) return
    const lie = sealCheckpoint(held.value, keyNumber(9))
    const live = source.readLive(-1, 1e9, source.head.n).map(({ envelope }) => envelope)
    expect(await refusalOf(replica.stage(live, lie.bytes))).toBe('LogMismatchError')
    expect(replica.head.epoch).toBe(0)
    await sendSnapshot(source, replica)
    expect(replica.head.epoch).toBe(1)
    expect(replica.voided()).toEqual([])
  })
})

describe('evidence', () => {
  it('of a fork is kept once, and stands on the checkpoint where the own entry is gone', async () => {
    await root.append([network.renew(source, 1)])
    await root.append([network.renew(source, 1)])
    await root.append([network.registrySet(1)])
    await root.append([network.registrySet(1, true)])
    const late = (await network.follower(source)).replica
    await sendSnapshot(source, late)
    const held = late.checkpoint
    if (held === undefined) return
    for (const fill of [1, 2]) {
      const other = sealCheckpoint({ ...held.value, headHash: new Uint8Array(32).fill(fill) }, network.logKey)
      expect(await refusalOf(late.apply([], other.bytes))).toBe('ForkError')
    }
    expect(late.forks()).toHaveLength(1)
    expect(late.forks()[0]?.other).toEqual(held.bytes)
  })

  it('of void entries tells a revoke by the authority, until the log has it, and none by the log key', async () => {
    const { n: forkN, hash: prevHash } = replica.head
    const position = { networkId: replica.networkId, n: forkN + 1, prevHash, epoch: 0, timeMs: 1 }
    await replica.authorityRevocations.enforce(
      sealEntry({ ...position, ...network.revoke(1, 'again') }, network.authority).bytes
    )
    await root.append([network.revoke(1), network.revoke(2)])
    await sendDelta(source, replica)
    await replica.apply([sealDelegation(replica, network.authority, key(1005), forkN).bytes])
    expect(replica.authorityRevocations.revokes().map(({ publicKey }) => publicKey)).toEqual([key(1)])
    expect(await network.rootOf(replica, keyNumber(1005)).reissueRevokes()).toBe(1)
    expect(replica.authorityRevocations.revokes()).toEqual([])
  })
})

describe('a snapshot', () => {
  it('with more bytes than its checkpoint says is refused', async () => {
    const held = source.checkpoint
    if (held === undefined) return
    const fresh = (await network.follower(source)).replica
    const small = sealCheckpoint({ ...held.value, bytes: 600 }, network.logKey)
    const live = source.readLive(-1, 1e9, source.head.n).map(({ envelope }) => envelope)
    expect(await refusalOf(fresh.stage(live, small.bytes))).toBe('LogMismatchError')
    const short = sealCheckpoint({ ...held.value, n: 3 }, network.logKey)
    expect(await refusalOf(fresh.stage(live, short.bytes))).toBe('LogMismatchError')
    expect(await fresh.stage([], held.bytes)).toMatchObject({ rows: 0, upTo: -1 })
  })
})
