import { beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../../../../src/identity/hash.ts'
import type { SigningKey } from '../../../../../src/identity/keys.ts'
import { type Root, sealAuthority, sealDelegation } from '../../../../../src/registry/log/log-writer.ts'
import type { Replica } from '../../../../../src/registry/log/replica.ts'
import { sealEntry } from '../../../../../src/registry/objects/entry.ts'
import {
  envelopesAfter,
  keyNumber,
  LogNetwork,
  type OpenStore,
  refusalOf,
  sendDelta,
  sendSnapshot
} from '../../../../helpers/log-network.ts'
import { WokenServices } from '../../../../helpers/registry/woken-services.ts'

let network: LogNetwork
let first: OpenStore & { root: Root }
let follower: OpenStore

const key = (member: number): Uint8Array => keyNumber(member).publicKey

beforeEach(async () => {
  network = new LogNetwork()
  first = await network.start()
  follower = await network.follower(first.replica)
  await first.root.append([1, 2, 3].map((member) => network.admit(first.replica.networkId, member)))
  await sendDelta(first.replica, follower.replica)
})

/** The replica becomes the root of a new epoch, which branches off at its head or below. */
async function reissueEntry(replica: Replica, logKey: SigningKey, forkN = replica.head.n): Promise<Root> {
  await replica.apply([sealDelegation(replica, network.authority, logKey.publicKey, forkN).bytes])
  const root = network.rootOf(replica, logKey)
  await root.start(new WokenServices())
  await root.checkpoint()
  return root
}

describe('a new epoch', () => {
  it('at the head is followed, by delta and by snapshot, and the old root signs nothing more', async () => {
    const second = await network.follower(first.replica)
    await sendDelta(first.replica, second.replica)
    const root = await reissueEntry(second.replica, keyNumber(1005))
    await root.append([network.admit(second.replica.networkId, 4)])
    await sendDelta(second.replica, follower.replica)
    const fresh = await network.follower(first.replica)
    await sendSnapshot(second.replica, fresh.replica)
    for (const { replica } of [follower, fresh]) {
      expect(replica.head).toEqual(second.replica.head)
      expect(replica.state.root()).toEqual(second.replica.state.root())
      expect(replica.isMember(key(4))).toBe(true)
      expect(replica.delegations()).toHaveLength(1)
    }
    await sendDelta(second.replica, first.replica)
    expect(await refusalOf(first.root.append([network.revoke(1)]))).toBe('NotRootError')
    expect(await refusalOf(first.root.checkpoint())).toBe('NotRootError')
  })

  it('below the head cuts entries off: they stay as evidence, admissions end and revokes stay in force', async () => {
    const second = await network.follower(first.replica)
    await sendDelta(first.replica, second.replica)
    const forkN = second.replica.head.n
    await first.root.append([
      network.revoke(1),
      network.admit(first.replica.networkId, 5),
      network.renew(first.replica, 2)
    ])
    await sendDelta(first.replica, follower.replica)
    const resets: number[] = []
    follower.replica.events.addEventListener('reset', ({ detail }) => resets.push(detail.voided))

    const root = await reissueEntry(second.replica, keyNumber(1005))
    await root.append([network.admit(second.replica.networkId, 6)])
    expect(follower.replica.resumePoint(second.replica.head).mode).toBe('delta')
    const { head } = follower.replica
    expect(second.replica.resumePoint(head)).toEqual({ mode: 'delta', afterN: forkN })
    await follower.replica.apply(envelopesAfter(second.replica, forkN), second.replica.checkpoint?.bytes)

    const { replica } = follower
    expect(resets).toEqual([3])
    expect(replica.head).toEqual(second.replica.head)
    expect(replica.state.root()).toEqual(second.replica.state.root())
    expect(replica.voided().map(({ value }) => value.kind)).toEqual(['revoke', 'admit', 'renew'])
    expect(replica.isMember(key(5))).toBe(false)
    expect(replica.state.member(key(1))).toBeDefined()
    expect(replica.state.isRevoked(key(1))).toBe(true)
    expect(replica.isMember(key(1))).toBe(false)
    follower.close()
    const again = await network.open(follower.path)
    expect(again.replica.isMember(key(1))).toBe(false)
    expect(again.replica.state.root()).toEqual(second.replica.state.root())

    // The new root learns of the void revoke, and its operator decides.
    expect(again.replica.authorityRevocations.unsettled().map(({ value }) => value.kind)).toEqual(['revoke', 'admit'])
    expect(again.replica.authorityRevocations.revokes()).toEqual([])
  })

  it('makes void what the old root signs above the fork point: a checkpoint of it says nothing', async () => {
    const { replica } = follower
    const forkN = replica.head.n
    await first.root.append([network.revoke(1)])
    const old = first.replica.checkpoint?.bytes ?? new Uint8Array()
    await reissueEntry(replica, keyNumber(1005), forkN)
    const { head } = replica
    expect(await replica.observe(old)).toBe('known')
    expect([replica.head, replica.isForked]).toEqual([head, false])
  })

  it('cuts off entries that no checkpoint stands on', async () => {
    const { replica } = await network.follower(first.replica)
    await replica.apply(envelopesAfter(first.replica, 0))
    expect(await replica.compact()).toBe(0)
    const forkN = replica.head.n - 1
    await replica.apply([sealDelegation(replica, network.authority, key(1005), forkN).bytes])
    expect(replica.head).toMatchObject({ epoch: 1, n: forkN + 1 })
    expect(replica.isMember(key(3))).toBe(false)
    expect(replica.checkpoint).toBeUndefined()
  })

  it('has its root enter none of the revokes that it made void: who knows when they were signed', async () => {
    await first.root.append([network.revoke(1), network.revoke(2)])
    await sendDelta(first.replica, follower.replica)
    const forkN = follower.replica.head.n - 2
    const root = await reissueEntry(follower.replica, keyNumber(1005), forkN)
    expect(await root.reissueRevokes()).toBe(0)
    expect([1, 2].map((member) => follower.replica.state.revoked(key(member)))).toEqual([undefined, undefined])
    expect([1, 2].map((member) => follower.replica.isMember(key(member)))).toEqual([false, false])
  })

  it('ends an older new epoch that branched off above it', async () => {
    const forkN = follower.replica.head.n
    const wrong = await reissueEntry(first.replica, keyNumber(1006))
    await wrong.append([network.admit(first.replica.networkId, 7)])
    await sendDelta(first.replica, follower.replica)
    expect(follower.replica.head.epoch).toBe(1)

    const { replica } = follower
    const position = { networkId: replica.networkId, n: forkN, epoch: 2, timeMs: network.clock.now() }
    const prevHash = replica.linkHash(forkN - 1) ?? new Uint8Array()
    const delegate = sealEntry(
      { ...position, prevHash, kind: 'delegate', body: { logKey: key(1007) } },
      network.authority
    )
    await replica.apply([delegate.bytes])
    expect(replica.head).toMatchObject({ epoch: 2, n: forkN })
    expect(replica.logKeyOf(1)).toBeUndefined()
    expect(replica.forkPointAfter(0)).toBe(forkN - 1)
    expect(replica.isMember(key(7))).toBe(false)
  })

  it.each<[string, (replica: Replica) => Uint8Array]>([
    ['of a key that is not the authority', (replica) => sealDelegation(replica, keyNumber(1), key(1005)).bytes],
    [
      'with the log key of an older epoch',
      (replica) => sealDelegation(replica, network.authority, network.logKey.publicKey).bytes
    ],
    [
      'that is not newer',
      (replica) => {
        const { n, hash, epoch } = replica.head
        const position = { networkId: replica.networkId, n: n + 1, prevHash: hash, epoch, timeMs: 1 }
        return sealEntry({ ...position, kind: 'delegate', body: { logKey: key(1005) } }, network.authority).bytes
      }
    ]
  ])('is refused by a delegation %s', async (_, bytes) => {
    expect(await refusalOf(follower.replica.apply([bytes(follower.replica)]))).toBe('LogMismatchError')
    expect(follower.replica.head.epoch).toBe(0)
  })

  it('with a fork point that is compacted away leads to a snapshot', async () => {
    const old = follower.replica.head.n
    const delegate = sealDelegation(follower.replica, network.authority, key(1005))
    await first.root.append([network.admit(first.replica.networkId, 4)])
    const late = await network.follower(first.replica)
    await sendSnapshot(first.replica, late.replica)
    expect(late.replica.floor).toBe(old + 1)
    expect(await refusalOf(late.replica.apply([delegate.bytes]))).toBe('LogMismatchError')
    expect(late.replica.position()).toMatchObject({ n: 0, hash: new Uint8Array() })

    await reissueEntry(follower.replica, keyNumber(1005))
    const other = await network.follower(first.replica)
    await sendDelta(follower.replica, other.replica)
    expect(other.replica.resumePoint(late.replica.position())).toEqual({ mode: 'snapshot' })
    // Its own epoch 0 has an entry that the new one cut off.
    const root = network.rootOf(follower.replica, keyNumber(1005))
    await root.append([network.revoke(3)])
    await sendSnapshot(follower.replica, late.replica)
    expect(late.replica.head).toEqual(follower.replica.head)
    expect(late.replica.voided()).toHaveLength(1)
    expect(late.replica.position().hash).toEqual(follower.replica.head.hash)
  })

  it('whose authority was revealed is opened by the new authority alone', async () => {
    const third = keyNumber(1010)
    const { replica } = first
    const wrong = sealAuthority(replica, third, sha256(third.publicKey))
    expect(await refusalOf(replica.apply([wrong.bytes]))).toBe('LogMismatchError')
    const reveal = sealAuthority(replica, network.nextAuthority, sha256(third.publicKey))
    await replica.apply([reveal.bytes])
    await first.root.checkpoint()
    const old = sealDelegation(replica, network.authority, key(1005))
    expect(await refusalOf(replica.apply([old.bytes]))).toBe('LogMismatchError')
    await replica.apply([sealDelegation(replica, network.nextAuthority, key(1005)).bytes])
    const root = network.rootOf(replica, keyNumber(1005))
    await root.checkpoint()
    await sendDelta(replica, follower.replica)
    expect(follower.replica.state.root()).toEqual(replica.state.root())
    expect(follower.replica.delegations()).toHaveLength(2)
    first.close()
    expect((await network.open(first.path)).replica.state.root()).toEqual(follower.replica.state.root())
  })
})

const revoke = (replica: Replica, signer: SigningKey, kind: 'revoke' | 'registrySet' = 'revoke') => {
  const { epoch, n, hash } = replica.head
  const position = { networkId: replica.networkId, n: n + 1, prevHash: hash, epoch, timeMs: 1 }
  return kind === 'revoke'
    ? sealEntry({ ...position, kind, body: { publicKey: key(2), reason: 'stolen' } }, signer).bytes
    : sealEntry({ ...position, kind, body: { publicKey: key(2), role: 'secondary', removed: false } }, signer).bytes
}

describe('what the root should know of', () => {
  it('is each revoke in force that the log has not, and each void admission that nothing has decided since', async () => {
    const { replica } = follower
    const forkN = replica.head.n
    const { networkId } = replica
    await first.root.append([4, 5, 6].map((member) => network.admit(networkId, member)))
    await first.root.append([network.revoke(1), network.revoke(6), network.renew(first.replica, 3)])
    await sendDelta(first.replica, replica)
    await replica.authorityRevocations.enforce(revoke(replica, network.authority))
    expect(replica.authorityRevocations.unsettled().map(({ value }) => value.kind)).toEqual(['revoke'])
    await replica.apply([sealDelegation(replica, network.authority, key(1005), forkN).bytes])
    const unsettled = () =>
      replica.authorityRevocations
        .unsettled()
        .map(({ value }) => (value.kind === 'revoke' || value.kind === 'admit' ? value.body : value))
    expect(unsettled()).toMatchObject([
      { publicKey: key(2), reason: 'stolen' },
      { publicKey: key(4) },
      { publicKey: key(5) },
      { publicKey: key(1) },
      { publicKey: key(6) }
    ])
    const root = network.rootOf(replica, keyNumber(1005))
    await root.reissueRevokes()
    await root.append([network.admit(networkId, 4), network.revoke(1), network.revoke(6)])
    expect(unsettled()).toMatchObject([{ publicKey: key(5) }])
    await root.append([network.revoke(5)])
    expect(unsettled()).toEqual([])
  })
})

describe('a revoke by the authority', () => {
  it('is enforced at once, over restarts, and entered by the root', async () => {
    const { replica } = follower
    await replica.authorityRevocations.enforce(revoke(replica, network.authority))
    expect(replica.isMember(key(2))).toBe(false)
    follower.close()
    const again = await network.open(follower.path)
    expect(again.replica.isMember(key(2))).toBe(false)
    expect(again.replica.state.revoked(key(2))).toBeUndefined()
    await reissueEntry(again.replica, keyNumber(1005))
    expect(again.replica.state.revoked(key(2))).toBeDefined()
  })

  it('is refused from anybody else, and for anything else', async () => {
    const { replica } = follower
    expect(await refusalOf(replica.authorityRevocations.enforce(revoke(replica, network.logKey)))).toBe(
      'LogMismatchError'
    )
    expect(
      await refusalOf(replica.authorityRevocations.enforce(revoke(replica, network.authority, 'registrySet')))
    ).toBe('LogMismatchError')
    expect(replica.isMember(key(2))).toBe(true)
  })
})
