import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { sealRevoke } from '../../../../src/registry/log/epochs/authority-revocations.ts'
import { openEpoch } from '../../../../src/registry/log/epochs/new-epoch.ts'
import { openRegistry, type Registry, type RegistryInit } from '../../../../src/registry/registry.ts'
import { PendingError, UnavailableError } from '../../../../src/runtime/errors.ts'
import { day, RealNetwork } from '../../../helpers/real-network.ts'
import { epochStage } from '../../../helpers/registry/epoch-stage.ts'

let network: RealNetwork

afterEach(async () => await network[Symbol.asyncDispose]())

describe('a revoke that the authority signed and a machine hands over', () => {
  let ann: SigningKey
  let secondary: Registry

  beforeEach(async () => {
    network = await RealNetwork.create()
    ann = await network.admit('ann')
    secondary = await network.addSecondary('s')
  })

  const revokeOf = ({ publicKey }: { publicKey: Uint8Array }, authority = network.authority): Uint8Array => {
    const { networkId, replica } = network.root
    const place = { networkId, head: replica.head, nowMs: network.clock.now() }
    return sealRevoke(place, authority, { publicKey, reason: 'stolen' }).bytes
  }

  it('is entered by the root at once, and once', async () => {
    const { admission, replica } = network.root
    const { n } = replica.head
    const { entry } = await admission.reissueEntry(revokeOf(ann))
    expect(entry.length).toBeGreaterThan(0)
    expect(replica.state.revoked(ann.publicKey)).toMatchObject({ n: n + 1 })
    expect(await admission.reissueEntry(revokeOf(ann))).toEqual({ entry: new Uint8Array() })
    expect(replica.head.n).toBe(n + 1)
  })

  it('that comes from two sides at the same moment is entered once', async () => {
    const { admission, replica } = network.root
    const { n } = replica.head
    const bytes = revokeOf(ann)
    const both = await Promise.all([admission.reissueEntry(bytes), admission.reissueEntry(bytes)])
    expect(both.filter(({ entry }) => entry.length > 0)).toHaveLength(1)
    expect(replica.head.n).toBe(n + 1)
  })

  it('is in force at a secondary, which enters nothing', async () => {
    await network.sync(secondary)
    const { n } = secondary.replica.head
    expect(await secondary.admission.reissueEntry(revokeOf(ann))).toEqual({ entry: new Uint8Array() })
    expect(secondary.replica.isMember(ann.publicKey)).toBe(false)
    expect(secondary.replica.head.n).toBe(n)
    expect(secondary.replica.state.revoked(ann.publicKey)).toBeUndefined()
  })

  it('of the root itself is in force, and left for the next root to enter', async () => {
    const { admission, replica } = network.root
    const { n } = replica.head
    expect(await admission.reissueEntry(revokeOf(network.rootKey))).toEqual({ entry: new Uint8Array() })
    expect(replica.state.isRevoked(network.rootKey.publicKey)).toBe(true)
    expect(replica.head.n).toBe(n)
  })

  it.each([
    ['a revoke that another key signed', () => revokeOf(ann, SigningKey.generate())],
    ['an entry that counts', () => network.root.replica.read(0, 1)[0]?.envelope ?? new Uint8Array()]
  ])('is not %s', async (_what, made) => {
    await expect(network.root.admission.reissueEntry(made())).rejects.toThrow('not one that a newer epoch made void')
  })
})

describe('an entry that a newer epoch made void', () => {
  const logKey = SigningKey.generate()
  let keeperKey: SigningKey
  let hal: SigningKey
  /** Envelopes above the place where the epoch branched off: a revoke, an invite, the admission with it, a policy. */
  let cut: Uint8Array[]

  /** A keeper that becomes the root with a new epoch from the place where hal was let in. */
  beforeEach(async () => {
    const stage = await epochStage()
    network = stage.network
    keeperKey = stage.keeperKey
    hal = await network.admit('hal')
    const { n } = network.root.replica.head
    await network.root.admission.revoke(hal.publicKey, 'a thief')
    await network.admit('late')
    await network.root.admission.changePolicy({ membershipMs: day })
    cut = network.root.replica.read(n, 2 ** 24).map(({ envelope }) => envelope)
    await network.sync(stage.keeper)
    await stage.keeper.close()
    await openEpoch(stage.init({ fromN: n, logKey }))
  })

  /** The keeper as the root or, without the log key, as one that only follows. */
  const reopened = async (powers: Pick<RegistryInit, 'role' | 'root'>): Promise<Registry> =>
    await openRegistry({ path: network.path('keeper'), nodeKey: keeperKey, ...powers }, { clock: network.clock })

  it('waits for the operator of the root when it is about a member, and is nothing when it is not', async () => {
    await using root = await reopened({ role: 'root', root: { logKey } })
    const outcomes = await Promise.allSettled(cut.map((each) => root.admission.reissueEntry(each, hal.publicKey)))
    expect(
      outcomes.map((each) => (each.status === 'rejected' ? each.reason.message : each.value.entry.length))
    ).toEqual([
      'the revoke is void: it waits for the operator of the root',
      0,
      'the admission is void: it waits for the operator of the root',
      0
    ])
    expect(root.admission.pending().map(({ name }) => name)).toEqual(['late'])
    expect(root.admission.offered.list()).toMatchObject([{ kind: 'revoke', reason: 'a thief' }])
    expect(root.replica.isMember(hal.publicKey)).toBe(true)
  })

  it('waits no more when its member was decided meanwhile', async () => {
    await using root = await reopened({ role: 'root', root: { logKey } })
    const [revoke = new Uint8Array(), , admit = new Uint8Array()] = cut
    await expect(root.admission.reissueEntry(admit)).rejects.toThrow(PendingError)
    await root.admission.approve('late')
    await root.admission.revoke(hal.publicKey, 'a thief indeed')
    for (const each of [revoke, admit]) {
      expect(await root.admission.reissueEntry(each)).toEqual({ entry: new Uint8Array() })
    }
  })

  it('is refused at once where the operator has refused its member', async () => {
    await using root = await reopened({ role: 'root', root: { logKey } })
    const admit = cut[2] ?? new Uint8Array()
    await expect(root.admission.reissueEntry(admit)).rejects.toThrow(PendingError)
    await root.admission.reject('late', 'nobody knows it')
    await expect(root.admission.reissueEntry(admit)).rejects.toThrow('nobody knows it')
    expect(root.admission.pending()).toEqual([])
  })

  it('is to be brought to the root, says a registry that is not it', async () => {
    await using secondary = await reopened({ role: 'secondary' })
    for (const each of cut) await expect(secondary.admission.reissueEntry(each)).rejects.toThrow(UnavailableError)
    expect(secondary.admission.pending()).toEqual([])
  })
})
