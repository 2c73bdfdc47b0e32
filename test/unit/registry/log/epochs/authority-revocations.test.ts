import { beforeEach, describe, expect, it } from 'vitest'
import { isPublicKey } from '../../../../../src/identity/ed25519.ts'
import { sha256 } from '../../../../../src/identity/hash.ts'
import type { SigningKey } from '../../../../../src/identity/keys.ts'
import { sealRevoke } from '../../../../../src/registry/log/epochs/authority-revocations.ts'
import { type Root, sealAuthority } from '../../../../../src/registry/log/log-writer.ts'
import type { Replica } from '../../../../../src/registry/log/replica.ts'
import type { Signed } from '../../../../../src/registry/objects/envelope.ts'
import { keyNumber, LogNetwork, type OpenStore, refusalOf } from '../../../../helpers/log-network.ts'

let network: LogNetwork
let store: OpenStore & { root: Root }
let replica: Replica

const key = (member: number): Uint8Array => keyNumber(member).publicKey

beforeEach(async () => {
  network = new LogNetwork()
  store = await network.start()
  replica = store.replica
  await store.root.append([1, 2, 3].map((member) => network.admit(replica.networkId, member)))
})

const revokeOf = (publicKey: Uint8Array, authority: SigningKey = network.authority): Signed<unknown> => {
  const { networkId, head } = replica
  return sealRevoke({ networkId, head, nowMs: network.clock.now() }, authority, { publicKey, reason: 'stolen' })
}

describe('a revoke of the authority beside the log', () => {
  it('is news once, also after a restart, and none where the log says the same', async () => {
    const { bytes } = revokeOf(key(1))
    expect(await replica.authorityRevocations.enforce(bytes)).toBe(true)
    expect(await replica.authorityRevocations.enforce(bytes)).toBe(false)
    store.close()
    const again = (await network.open(store.path)).replica
    expect(again.isMember(key(1))).toBe(false)
    expect(await again.authorityRevocations.enforce(bytes)).toBe(false)
    const root = network.rootOf(again)
    await root.append([network.revoke(2)])
    expect(await again.authorityRevocations.enforce(revokeOf(key(2)).bytes)).toBe(false)
    expect(again.authorityRevocations.after(0, 9).map(({ publicKey }) => publicKey)).toEqual([key(1)])
  })

  it('is told on page by page until the log has it', async () => {
    expect(replica.authorityRevocations.after(0, 9)).toEqual([])
    for (const member of [1, 2, 3]) await replica.authorityRevocations.enforce(revokeOf(key(member)).bytes)
    const [first, second] = replica.authorityRevocations.after(0, 2)
    expect([first, second].map((row) => row?.publicKey)).toEqual([key(1), key(2)])
    expect(replica.authorityRevocations.after(second?.id ?? 0, 2).map(({ publicKey }) => publicKey)).toEqual([key(3)])
    await store.root.append([network.revoke(2)])
    expect(replica.authorityRevocations.after(0, 9).map(({ publicKey }) => publicKey)).toEqual([key(1), key(3)])
    expect(replica.authorityRevocations.revokes().map(({ publicKey }) => publicKey)).toEqual([key(1), key(3)])
    await store.root.reissueRevokes()
    expect([replica.authorityRevocations.after(0, 9), replica.authorityRevocations.revokes()]).toEqual([[], []])
  })

  it('is entered once by a root that is told of it twice at the same moment, and not by one that may not append', async () => {
    await replica.authorityRevocations.enforce(revokeOf(key(1)).bytes)
    const { n } = replica.head
    await Promise.all([store.root.reissueRevokes(), store.root.reissueRevokes()])
    expect([replica.head.n, replica.authorityRevocations.revokes()]).toEqual([n + 1, []])
    await replica.authorityRevocations.enforce(revokeOf(key(2)).bytes)
    store.root.fence('others may hold more of the log')
    await expect(store.root.reissueRevokes()).rejects.toThrow('others may hold more of the log')
    expect(replica.authorityRevocations.revokes().map(({ publicKey }) => publicKey)).toEqual([key(2)])
  })

  it('by an authority that was replaced since is in force, and told to nobody', async () => {
    await replica.authorityRevocations.enforce(revokeOf(key(1)).bytes)
    await replica.apply([sealAuthority(replica, network.nextAuthority, sha256(key(1011))).bytes])
    await replica.authorityRevocations.enforce(revokeOf(key(2), network.nextAuthority).bytes)
    expect(replica.authorityRevocations.after(0, 9).map(({ publicKey }) => publicKey)).toEqual([key(2)])
    expect([1, 2].map((member) => replica.isMember(key(member)))).toEqual([false, false])
    expect(await refusalOf(replica.authorityRevocations.enforce(revokeOf(key(3)).bytes))).toBe('LogMismatchError')
  })

  it('is nothing else: another entry that somebody put into its table of the store shuts nobody out', async () => {
    const { table } = replica.ledger
    const { epoch, n, hash, envelope } = table.get(3) ?? { envelope: new Uint8Array(), epoch: 0, n: 0, hash: key(9) }
    await store.commit.write(() =>
      table.addEvidence({ kind: 'emergency', epoch, n, hash, subject: key(1), atMs: 1, envelope })
    )
    store.close()
    const again = (await network.open(store.path)).replica
    expect(again.isMember(key(1))).toBe(true)
    expect([again.authorityRevocations.revokes(), again.authorityRevocations.after(0, 9)]).toEqual([[], []])
    expect(await again.authorityRevocations.enforce(revokeOf(key(1)).bytes)).toBe(true)
  })

  it('is one of 10,000 at the most', async () => {
    const { table } = replica.ledger
    const { epoch, n } = replica.head
    await store.commit.write(() => {
      let revoked = 0
      for (let i = 0; revoked < 10_000; i++) {
        const publicKey = sha256(Uint8Array.of(i >> 8, i & 0xff))
        if (!isPublicKey(publicKey)) continue
        revoked++
        const { hash, bytes } = revokeOf(publicKey)
        table.addEvidence({ kind: 'emergency', epoch, n, hash, subject: publicKey, atMs: 1, envelope: bytes })
      }
    })
    store.close()
    const again = (await network.open(store.path)).replica
    expect(await refusalOf(again.authorityRevocations.enforce(revokeOf(key(1)).bytes))).toBe('LimitError')
    expect(again.isMember(key(1))).toBe(true)
  })
})
