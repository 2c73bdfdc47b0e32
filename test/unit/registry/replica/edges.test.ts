import { beforeEach, describe, expect, it } from 'vitest'
import { sealCheckpoint } from '../../../../src/registry/checkpoint.ts'
import { sealEntry } from '../../../../src/registry/entry.ts'
import { sha256 } from '../../../../src/registry/hash.ts'
import type { Replica } from '../../../../src/registry/replica.ts'
import { type Root, sealAuthority, sealDelegation } from '../../../../src/registry/root.ts'
import {
  envelopesAfter,
  keyNumber,
  LogNetwork,
  type OpenStore,
  refusalOf,
  sendDelta,
  sendSnapshot
} from '../../../helpers/log-network.ts'

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

describe('epochs one after the other', () => {
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

    // A newer epoch below both: what they signed is judged by the keys of that place.
    const old = sealDelegation(replica, network.nextAuthority, key(1007), first)
    expect(await refusalOf(replica.apply([old.bytes]))).toBe('LogMismatchError')
    await replica.apply([sealDelegation(replica, network.authority, key(1007), first).bytes])
    expect(replica.head).toMatchObject({ epoch: 3, n: first + 1 })
    expect(replica.logKeyOf(1)).toBeUndefined()
    // The one that was held is void, and the new root has signed none yet.
    expect(replica.checkpoint).toBeUndefined()
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

  it('of void entries tells each revoke once, until the log has it', async () => {
    const forkN = replica.head.n
    await root.append([network.revoke(1), network.renew(source, 2)])
    await sendDelta(source, replica)
    const { n, hash: prevHash } = replica.head
    const position = { networkId: replica.networkId, n: n + 1, prevHash, epoch: 0, timeMs: 1 }
    await replica.emergency.enforce(sealEntry({ ...position, ...network.revoke(1, 'again') }, network.authority).bytes)
    await replica.apply([sealDelegation(replica, network.authority, key(1005), forkN).bytes])
    expect(replica.emergency.revokes().map(({ publicKey }) => publicKey)).toEqual([key(1)])
    expect(await network.rootOf(replica, keyNumber(1005)).reissueRevokes()).toBe(1)
    expect(replica.emergency.revokes()).toEqual([])
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
