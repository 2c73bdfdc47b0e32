import { copyFileSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { OtherEpochError } from '../../../../../src/registry/log/apply-entries.ts'
import { makeForkProof, verifyForkProof } from '../../../../../src/registry/log/forks/fork-proof.ts'
import { type Root, sealDelegation } from '../../../../../src/registry/log/log-writer.ts'
import type { Replica } from '../../../../../src/registry/log/replica.ts'
import type { RowWitness } from '../../../../../src/registry/log/state/merkle-tree.ts'
import { openCheckpoint, sealCheckpoint } from '../../../../../src/registry/objects/checkpoint.ts'
import { openEntry, sealEntry } from '../../../../../src/registry/objects/entry.ts'
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
/** Two roots with the same log key and another history each: one was restored from a copy. */
let one: OpenStore & { root: Root }
let two: OpenStore & { root: Root }
let replica: Replica
let follower: OpenStore

const key = (member: number): Uint8Array => keyNumber(member).publicKey

beforeEach(async () => {
  network = new LogNetwork()
  const { path } = await network.create()
  const first = await network.open(path)
  await network.rootOf(first.replica).append([network.admit(first.replica.networkId, 1)])
  first.close()
  const copy = network.newPath()
  copyFileSync(path, copy)
  const [a, b] = [await network.open(path), await network.open(copy)]
  one = { ...a, root: network.rootOf(a.replica) }
  two = { ...b, root: network.rootOf(b.replica) }
  follower = await network.follower(one.replica)
  replica = follower.replica
  await one.root.append([network.admit(one.replica.networkId, 2)])
  await two.root.append([network.admit(two.replica.networkId, 3)])
  await sendDelta(one.replica, replica)
})

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there is none')
  return value
}

const expectFork = (): void => {
  expect(replica.isForked).toBe(true)
  expect(replica.isMember(key(2))).toBe(true)
  expect(replica.isMember(key(3))).toBe(false)
}

describe('two histories of one epoch', () => {
  it('are found by the checkpoint of the other one', async () => {
    const forks: number[] = []
    replica.events.addEventListener('fork', ({ detail }) => forks.push(detail.n))
    expect(await refusalOf(replica.apply([], two.replica.checkpoint?.bytes))).toBe('ForkError')
    expect(await refusalOf(replica.observe(two.replica.checkpoint?.bytes ?? new Uint8Array()))).toBe('ForkError')
    expectFork()
    expect(forks).toEqual([4])
  })

  it('are found by an entry in place of one that is held, and the proof can be checked by anybody', async () => {
    const [theirs] = envelopesAfter(two.replica, 3)
    expect(await refusalOf(replica.apply([theirs ?? new Uint8Array()]))).toBe('ForkError')
    expectFork()
    const [proof] = replica.forks()
    const mine = openEntry(proof?.other ?? new Uint8Array(), replica.networkId)
    const other = openEntry(proof?.envelope ?? new Uint8Array(), replica.networkId)
    expect(mine.value.n).toBe(other.value.n)
    expect(mine.hash).not.toEqual(other.hash)
    expect([mine.signer, other.signer]).toEqual([network.logKey.publicKey, network.logKey.publicKey])
  })

  it('are found by an entry that follows from another one', async () => {
    await two.root.append([network.admit(two.replica.networkId, 4)])
    expect(replica.head.n).toBe(4)
    expect(two.replica.resumePoint(replica.head)).toEqual({ mode: 'delta', afterN: 3 })
    expect(await refusalOf(replica.apply(envelopesAfter(two.replica, 4)))).toBe('ForkError')
    expectFork()
  })

  it('are found by a checkpoint for entries that come with it', async () => {
    await one.root.append([network.admit(one.replica.networkId, 5)])
    await two.root.append([network.admit(two.replica.networkId, 6)])
    const entries = envelopesAfter(one.replica, 4)
    expect(await refusalOf(replica.apply(entries, two.replica.checkpoint?.bytes))).toBe('ForkError')
    expect(replica.head.n).toBe(4)
    expectFork()
  })

  it('are found by an older checkpoint that comes with newer entries', async () => {
    const old = two.replica.checkpoint?.bytes
    await one.root.append([network.admit(one.replica.networkId, 5)])
    expect(await refusalOf(replica.apply(envelopesAfter(one.replica, 4), old))).toBe('ForkError')
    expectFork()
  })

  it('are found by a snapshot of the other one', async () => {
    await two.root.append([network.admit(two.replica.networkId, 4)])
    expect(await refusalOf(sendSnapshot(two.replica, replica))).toBe('ForkError')
    expectFork()
    expect(replica.staged()).toBeUndefined()
  })

  it('are found by a snapshot that lacks the entry itself, and says its hash in the one behind', async () => {
    one.close()
    const copy = network.newPath()
    copyFileSync(one.path, copy)
    const [a, b] = [await network.open(one.path), await network.open(copy)]
    await network.rootOf(a.replica).append([network.admit(a.replica.networkId, 5)])
    await sendDelta(a.replica, replica)
    const other = network.rootOf(b.replica)
    await other.append([network.renew(b.replica, 1)])
    await other.append([network.admit(b.replica.networkId, 6)])
    await other.append([network.renew(b.replica, 1)])
    expect(b.replica.readLive(4, 100_000, 7).map(({ n }) => n)).toEqual([6, 7])
    expect(await refusalOf(sendSnapshot(b.replica, replica))).toBe('ForkError')
    expect(replica.isMember(key(5))).toBe(true)
    const [proof] = replica.forks()
    expect(proof?.envelope).toEqual(envelopesAfter(b.replica, 5)[0])
  })

  it('are found by a snapshot that lacks a revoke that is held', async () => {
    await one.root.append([network.revoke(2)])
    await sendDelta(one.replica, replica)
    // The same entry at its place, and superseded there: only the revoke is missing.
    await two.root.append([network.admit(two.replica.networkId, 4)])
    await two.root.append([network.admit(two.replica.networkId, 5)])
    await two.root.append([network.renew(two.replica, 5)])
    let proof = ''
    replica.events.addEventListener('fork', ({ detail }) => {
      const row = replica.forks().at(-1)
      if (row !== undefined) proof = makeForkProof(replica, row, detail.witness)
    })
    expect(await refusalOf(sendSnapshot(two.replica, replica))).toBe('ForkError')
    expect(replica.isMember(key(2))).toBe(false)
    expect(() => verifyForkProof(proof)).not.toThrow()
  })

  it('are proven by a state that lacks a revoke, and by no other witness', async () => {
    // All that the two histories do not share is superseded or gone: only the revoke tells.
    await one.root.append([network.revoke(1)])
    await sendDelta(one.replica, replica)
    for (let member = 4; member < 8; member++) await two.root.append([network.renew(two.replica, 3)])
    const details: { witness: RowWitness | undefined }[] = []
    replica.events.addEventListener('fork', ({ detail }) => details.push(detail))
    expect(await refusalOf(sendSnapshot(two.replica, replica))).toBe('ForkError')
    const { checkpoint } = two.replica
    const revoke = envelopesAfter(one.replica, 4)[0] ?? new Uint8Array()
    const evidence = { ...required(replica.forks().at(-1)), other: revoke, envelope: checkpoint?.bytes ?? revoke }
    const witness = two.replica.state.witness('revoked', key(1))
    expect(verifyForkProof(makeForkProof(replica, evidence, witness))).toMatchObject({
      kind: 'missing',
      n: 5,
      epoch: 0
    })
    const right = one.replica.state.witness('revoked', key(1))
    const other = two.replica.state.witness('revoked', key(2))
    for (const wrong of [undefined, right, other, { ...witness, path: witness.path.slice(1) }]) {
      expect(() => verifyForkProof(makeForkProof(replica, evidence, wrong))).toThrow(/prove nothing/)
    }
    const held = { ...evidence, envelope: one.replica.checkpoint?.bytes ?? revoke }
    expect(() => verifyForkProof(makeForkProof(replica, held, right))).toThrow(/prove nothing/)
  })

  it('are none where the entry of one epoch stands in the place of another one', async () => {
    const next = keyNumber(1005)
    await replica.apply([sealDelegation(replica, network.authority, next.publicKey).bytes])
    const { n } = replica.head
    await network.rootOf(replica, next).checkpoint()
    const newer = required(replica.checkpoint)
    const position = { networkId: replica.networkId, n, prevHash: new Uint8Array(32), epoch: 0, timeMs: 1 }
    // Signed today by whoever has the log key of the past.
    const late = sealEntry({ ...position, ...network.revoke(1) }, network.logKey)
    const row = { kind: 'fork', id: 1, epoch: 1, n, hash: newer.hash, subject: null, atMs: 1 } as const
    const framed = makeForkProof(replica, { ...row, envelope: newer.bytes, other: late.bytes })
    expect(() => verifyForkProof(framed)).toThrow('two epochs')
    const below = sealEntry({ ...position, n: n - 2, ...network.revoke(1) }, network.logKey)
    const witness = replica.state.witness('revoked', key(1))
    const missing = makeForkProof(replica, { ...row, envelope: newer.bytes, other: below.bytes }, witness)
    expect(() => verifyForkProof(missing)).toThrow('two epochs')
  })

  it('are found by a snapshot in which a revoke that is held has no place', async () => {
    one.close()
    const copy = network.newPath()
    copyFileSync(one.path, copy)
    const [a, b] = [await network.open(one.path), await network.open(copy)]
    await network.rootOf(a.replica).append([network.revoke(2)])
    await sendDelta(a.replica, replica)
    // There the entries at its place and behind it were superseded: only the checkpoint says that the snapshot is the whole.
    const other = network.rootOf(b.replica)
    for (let renewal = 0; renewal < 3; renewal++) await other.append([network.renew(b.replica, 1)])
    expect(await refusalOf(sendSnapshot(b.replica, replica))).toBe('ForkError')
    expect(replica.isMember(key(2))).toBe(false)
    const [proof] = replica.forks()
    expect(proof?.envelope).toEqual(b.replica.checkpoint?.bytes)
  })

  it('are kept and told once, whatever brings the same proof again', async () => {
    const forks: number[] = []
    replica.events.addEventListener('fork', ({ detail }) => forks.push(detail.n))
    const held = two.replica.checkpoint?.bytes
    await two.root.append([network.admit(two.replica.networkId, 4)])
    const live = two.replica.readLive(-1, 1e9, two.replica.head.n).map(({ envelope }) => envelope)
    // A snapshot of the other side is on its way when its entry is shown.
    await replica.stage(live.slice(0, 2), two.replica.checkpoint?.bytes)
    expect(await refusalOf(replica.apply(envelopesAfter(two.replica, 3), held))).toBe('ForkError')
    expect(await refusalOf(replica.stage(live.slice(2)))).toBe('ForkError')
    expect(forks).toEqual([4])
    expect(replica.forks()).toHaveLength(1)
  })

  it('stop everything of that epoch, over restarts, until the authority opens a new one', async () => {
    await refusalOf(replica.apply([], two.replica.checkpoint?.bytes))
    await one.root.append([network.admit(one.replica.networkId, 5)])
    expect(await refusalOf(sendDelta(one.replica, replica))).toBe('ForkError')
    expect(await refusalOf(sendSnapshot(one.replica, replica))).toBe('LogMismatchError')
    follower.close()
    const again = await network.open(follower.path)
    expect(again.replica.isForked).toBe(true)
    expect(await refusalOf(sendDelta(one.replica, again.replica))).toBe('ForkError')

    await one.replica.apply([sealDelegation(one.replica, network.authority, key(1005)).bytes])
    await network.rootOf(one.replica, keyNumber(1005)).checkpoint()
    await sendDelta(one.replica, again.replica)
    expect(again.replica.isForked).toBe(false)
    expect(again.replica.state.root()).toEqual(one.replica.state.root())
  })

  it('end for those on the other side too, by a snapshot of the new epoch', async () => {
    await refusalOf(two.replica.apply([], one.replica.checkpoint?.bytes))
    await one.root.append([network.admit(one.replica.networkId, 5)])
    await one.replica.apply([sealDelegation(one.replica, network.authority, key(1005)).bytes])
    await network.rootOf(one.replica, keyNumber(1005)).checkpoint()
    expect(one.replica.resumePoint(two.replica.head)).toEqual({ mode: 'snapshot' })
    await two.root.append([network.revoke(1)]).catch(() => undefined)
    await sendSnapshot(one.replica, two.replica)
    expect(two.replica.isForked).toBe(false)
    expect(two.replica.state.root()).toEqual(one.replica.state.root())
    expect(two.replica.voided().map(({ value }) => value.kind)).toEqual(['admit'])
    expect(two.replica.isMember(key(3))).toBe(false)
  })

  it('make their root append nothing more', async () => {
    await refusalOf(one.replica.apply([], two.replica.checkpoint?.bytes))
    expect(await refusalOf(one.root.append([network.revoke(1)]))).toBe('ForkError')
  })

  it('of an epoch over which the authority has decided accuse nobody', async () => {
    const theirs = required(two.replica.checkpoint).bytes
    await replica.apply([sealDelegation(replica, network.authority, key(1005)).bytes])
    await network.rootOf(replica, keyNumber(1005)).checkpoint()
    await expect(replica.observe(theirs)).rejects.toThrow(OtherEpochError)
    expect(replica.forks()).toEqual([])
  })

  it('are not made of what only looks like one', async () => {
    // Another key signs a checkpoint for our position: that proves nothing.
    const held = replica.checkpoint
    if (held === undefined) return
    const forged = sealCheckpoint({ ...held.value, headHash: new Uint8Array(32) }, keyNumber(9))
    expect(await refusalOf(replica.apply([], forged.bytes))).toBe('LogMismatchError')
    expect(await refusalOf(replica.observe(forged.bytes))).toBe('LogMismatchError')
    expect(replica.isForked).toBe(false)
  })
})

describe('a checkpoint that is shown', () => {
  it('above the head is told as newer, when its key is known', async () => {
    const seen: number[] = []
    replica.events.addEventListener('newer', ({ detail }) => seen.push(detail.checkpoint.value.n))
    await one.root.append([network.admit(one.replica.networkId, 5)])
    expect(await replica.observe(one.replica.checkpoint?.bytes ?? new Uint8Array())).toBe('newer')
    expect(seen).toEqual([5])
    const held = one.replica.checkpoint
    if (held === undefined) return
    const forged = sealCheckpoint(held.value, keyNumber(9))
    expect(await refusalOf(replica.observe(forged.bytes))).toBe('LogMismatchError')
    expect(seen).toEqual([5])
  })

  it('of the head renews the time', async () => {
    network.clock.nowMs += 60_000
    await one.root.checkpoint()
    expect(await replica.observe(one.replica.checkpoint?.bytes ?? new Uint8Array())).toBe('known')
    expect(replica.timeMs).toBe(network.clock.nowMs)
    expect(openCheckpoint(replica.checkpoint?.bytes ?? new Uint8Array(), replica.networkId).value.n).toBe(4)
  })

  it('that is lower than another one does not make a root go on', async () => {
    const behind = await network.follower(two.replica)
    await sendDelta(two.replica, behind.replica)
    const root = network.rootOf(behind.replica)
    await two.root.append([network.admit(two.replica.networkId, 5)])
    const lower = two.replica.checkpoint?.bytes ?? new Uint8Array()
    await two.root.append([network.admit(two.replica.networkId, 6)])
    await behind.replica.observe(two.replica.checkpoint?.bytes ?? new Uint8Array())
    await behind.replica.observe(lower)
    await behind.replica.apply(envelopesAfter(two.replica, 4).slice(0, 1))
    await expect(root.append([network.revoke(1)])).rejects.toThrow('holds the log up to 6, this root only up to 5')
    await sendDelta(two.replica, behind.replica)
    expect(await refusalOf(root.append([network.revoke(1)]))).toBe('taken')
  })

  it('stops a root that was restored from a copy, until it has the entries that it lacks', async () => {
    const { path } = await network.create()
    const store = await network.open(path)
    const root = network.rootOf(store.replica)
    store.close()
    const copy = network.newPath()
    copyFileSync(path, copy)
    const newer = await network.open(path)
    await network.rootOf(newer.replica).append([network.admit(newer.replica.networkId, 1)])
    const restored = await network.open(copy)
    const again = network.rootOf(restored.replica)
    await restored.replica.observe(newer.replica.checkpoint?.bytes ?? new Uint8Array())
    expect(await refusalOf(again.append([network.admit(restored.replica.networkId, 2)]))).toBe('UnavailableError')
    expect(await refusalOf(again.checkpoint())).toBe('UnavailableError')
    await sendDelta(newer.replica, restored.replica)
    expect(await refusalOf(again.append([network.admit(restored.replica.networkId, 2)]))).toBe('taken')
    await root.stop()
  })
})
