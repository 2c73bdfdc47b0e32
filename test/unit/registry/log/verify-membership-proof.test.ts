import { beforeEach, describe, expect, it } from 'vitest'
import { type Root, sealDelegation } from '../../../../src/registry/log/log-writer.ts'
import type { Replica } from '../../../../src/registry/log/replica.ts'
import { sealEntry } from '../../../../src/registry/objects/entry.ts'
import { keyNumber, LogNetwork, sendDelta, sendSnapshot } from '../../../helpers/log-network.ts'

let network: LogNetwork
let root: Root
let source: Replica
/** Knows nothing of member 2. */
let behind: Replica

const key = (member: number): Uint8Array => keyNumber(member).publicKey
const admitOf = (member: number, replica = source): Uint8Array =>
  replica.state.member(key(member))?.admit.bytes ?? new Uint8Array()
const renewOf = (member: number): Uint8Array | undefined => source.state.member(key(member))?.renew?.bytes

function resultOf(run: () => { name: string }): string {
  try {
    return run().name
  } catch (error) {
    return error instanceof Error ? error.name : String(error)
  }
}

/** A revoke that the authority signed, for a member at the head. */
const authorityRevoke = ({ networkId, head }: Replica, member: number) => {
  const position = { networkId, n: head.n + 1, prevHash: head.hash, epoch: head.epoch, timeMs: 1 }
  const body = { publicKey: key(member), reason: 'stolen', name: `m${member}` }
  return sealEntry({ ...position, kind: 'revoke', body }, network.authority).bytes
}

beforeEach(async () => {
  network = new LogNetwork()
  const store = await network.start()
  root = store.root
  source = store.replica
  behind = (await network.follower(source)).replica
  await root.append([network.admit(source.networkId, 1)])
  await sendDelta(source, behind)
  await root.append([network.admit(source.networkId, 2)])
})

describe('entries shown in a hello', () => {
  it('prove a member that the replica has not heard of yet', () => {
    const member = behind.verifyShown(admitOf(2), undefined, key(2))
    expect(member).toMatchObject({ name: 'm2', role: 'integrated', renew: undefined })
    expect(member.admit.bytes).toEqual(admitOf(2))
  })

  it('prove nothing for one whose membership was ended, also not with the renewal that it had', async () => {
    await root.append([network.renew(source, 1)])
    const [admit, renew] = [admitOf(1), renewOf(1)]
    await root.append([{ kind: 'end', body: { publicKey: key(1), reason: 'moved' } }])
    expect(() => source.verifyShown(admit, renew, key(1))).toThrow('is not a member any more')
    expect(source.isMember(key(1))).toBe(false)
  })

  it('prove one that it knows', () => {
    expect(behind.verifyShown(admitOf(1), undefined, key(1))).toMatchObject({ name: 'm1' })
  })

  it('prove nothing for another key', () => {
    expect(resultOf(() => behind.verifyShown(admitOf(2), undefined, key(3)))).toBe('NotMemberError')
    expect(resultOf(() => behind.verifyShown(admitOf(1), undefined, key(2)))).toBe('NotMemberError')
    // An entry that is held is refused for another reason than that a membership ended.
    expect(() => behind.verifyShown(admitOf(1), undefined, key(3))).toThrow('shows the entry of another key')
  })

  it('prove nothing for a revoked key', async () => {
    const admit = admitOf(1)
    await root.append([network.revoke(1)])
    await sendDelta(source, behind)
    expect(resultOf(() => behind.verifyShown(admit, undefined, key(1)))).toBe('RevokedError')
  })

  it('prove nothing when the log that is held has it otherwise', async () => {
    const admit = admitOf(1)
    await root.append([network.rotate(source.networkId, 1, 11)])
    await sendDelta(source, behind)
    // The old key counts as revoked; the new one has the rotation to show.
    expect(resultOf(() => behind.verifyShown(admit, undefined, key(1)))).toBe('RevokedError')
    expect(resultOf(() => behind.verifyShown(admitOf(11), undefined, key(11)))).toBe('m1')
    const position = { networkId: source.networkId, n: 3, prevHash: new Uint8Array(32), epoch: 0, timeMs: 1 }
    const draft = network.admit(source.networkId, 9)
    const forged = sealEntry({ ...position, ...draft }, network.logKey)
    expect(resultOf(() => behind.verifyShown(forged.bytes, undefined, key(9)))).toBe('LogMismatchError')
  })

  it('prove the key that took the place of a member, until that one is revoked', async () => {
    await root.append([network.rotate(source.networkId, 1, 11)])
    expect(behind.verifyShown(admitOf(11), undefined, key(11))).toMatchObject({ name: 'm1', role: 'integrated' })
    await behind.authorityRevocations.enforce(authorityRevoke(behind, 1))
    expect(resultOf(() => behind.verifyShown(admitOf(11), undefined, key(11)))).toBe('LogMismatchError')
  })

  it('prove a member without a name where the one before is unknown, with the role of its registry-set entry', async () => {
    await root.append([network.rotate(source.networkId, 2, 12)])
    const roleOf = (set?: Uint8Array) => behind.verifyShown(admitOf(12), undefined, key(12), set)
    expect(roleOf()).toMatchObject({ name: '', role: 'external' })
    await root.append([network.registrySet(1), network.registrySet(12)])
    expect(roleOf(source.registrySetEntry(key(1))).role).toBe('external')
    expect(roleOf(admitOf(1)).role).toBe('external')
    expect(roleOf(source.registrySetEntry(key(12))).role).toBe('secondary')
    const [removed] = await root.append([network.registrySet(12, true)])
    expect(roleOf(removed?.bytes).role).toBe('external')
  })

  it('prove nothing when they say no admission', async () => {
    await root.append([network.registrySet(1)])
    const set = source.registrySetEntry(key(1)) ?? new Uint8Array()
    expect(resultOf(() => behind.verifyShown(set, undefined, key(5)))).toBe('NotMemberError')
    expect(source.registrySetEntry(key(5))).toBeUndefined()
  })

  it('prove nothing when the log key did not sign them', () => {
    const position = { networkId: source.networkId, n: 99, prevHash: new Uint8Array(32), epoch: 0, timeMs: 1 }
    const draft = network.admit(source.networkId, 9)
    const forged = (epoch: number, signer = keyNumber(9)) => sealEntry({ ...position, ...draft, epoch }, signer).bytes
    expect(resultOf(() => behind.verifyShown(forged(0), undefined, key(9)))).toBe('LogMismatchError')
    expect(resultOf(() => behind.verifyShown(forged(4), undefined, key(9)))).toBe('LogMismatchError')
    expect(resultOf(() => behind.verifyShown(forged(0, network.logKey), undefined, key(9)))).toBe('m9')
  })

  it('prove nothing above the point where a later epoch branched off', async () => {
    const admit = admitOf(2)
    await behind.apply([sealDelegation(behind, network.authority, key(1005)).bytes])
    expect(resultOf(() => behind.verifyShown(admit, undefined, key(2)))).toBe('LogMismatchError')
    expect(resultOf(() => behind.verifyShown(admitOf(1), undefined, key(1)))).toBe('m1')
  })

  it('prove a membership as long as the renewal that is shown says', async () => {
    network.clock.nowMs += network.membershipMs - 1000
    await root.append([network.renew(source, 2)])
    network.clock.nowMs += 2000
    const admit = admitOf(2)
    await root.checkpoint()
    const { bytes } = source.checkpoint ?? { bytes: undefined }
    const fresh = (await network.follower(source)).replica
    await fresh.apply(
      source.read(0, 1e6).map(({ envelope }) => envelope),
      bytes
    )
    expect(fresh.isMember(key(1))).toBe(false)
    expect(fresh.isMember(key(1), fresh.timeMs - 3000)).toBe(true)
    expect(resultOf(() => fresh.verifyShown(admitOf(1), undefined, key(1)))).toBe('NotMemberError')
    expect(fresh.isMember(key(2))).toBe(true)
    expect(fresh.verifyShown(admit, renewOf(2), key(2)).renew?.bytes).toEqual(renewOf(2))
    // To one that does not know the time yet nothing has ended.
    expect(behind.verifyShown(admit, renewOf(2), key(2)).notAfterMs).toBeGreaterThan(network.clock.nowMs)
    expect(resultOf(() => behind.verifyShown(admit, admit, key(2)))).toBe('NotMemberError')
    expect(resultOf(() => behind.verifyShown(admitOf(1), renewOf(2), key(1)))).toBe('NotMemberError')
  })
})

describe('a renewal made up with the log key of the past', () => {
  it('at a place that was compacted away prolongs nothing', async () => {
    await root.append([network.renew(source, 2)])
    await root.append([network.renew(source, 2)])
    const late = (await network.follower(source)).replica
    await sendSnapshot(source, late)
    const { n } = late.head
    expect(late.linkHash(n - 1)).toBeUndefined()
    const next = keyNumber(1005)
    await late.apply([sealDelegation(late, network.authority, next.publicKey).bytes])
    const position = { networkId: source.networkId, n: n - 1, prevHash: new Uint8Array(32), epoch: 0, timeMs: 1 }
    network.clock.nowMs += network.membershipMs
    const forged = sealEntry({ ...position, ...network.renew(source, 1) }, network.logKey).bytes
    network.clock.nowMs += 1000
    await network.rootOf(late, next).checkpoint()
    expect(late.isMember(key(1))).toBe(false)
    expect(resultOf(() => late.verifyShown(admitOf(1), forged, key(1)))).toBe('NotMemberError')
  })
})

describe('the time by which memberships end', () => {
  it('is not taken from a checkpoint that is far ahead of the own clock', async () => {
    const { timeMs } = behind
    network.clock.nowMs += 3_600_000
    await root.checkpoint()
    const { bytes } = source.checkpoint ?? { bytes: undefined }
    await behind.apply(
      source.read(behind.head.n, 1e6).map(({ envelope }) => envelope),
      bytes
    )
    network.clock.nowMs -= 3_600_000
    expect(behind.timeMs).toBe(timeMs)
    network.clock.nowMs += 3_600_000
    expect(behind.timeMs).toBe(network.clock.nowMs)
  })
})
