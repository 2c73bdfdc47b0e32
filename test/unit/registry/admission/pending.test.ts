import { describe, expect, it } from 'vitest'
import { peerIdText, SigningKey } from '../../../../src/identity/keys.ts'
import type { PendingJoin } from '../../../../src/registry/events.ts'
import { openEpoch } from '../../../../src/registry/log/epochs/new-epoch.ts'
import { openEntry, sealEntry } from '../../../../src/registry/objects/entry.ts'
import { openReceipt } from '../../../../src/registry/objects/receipt.ts'
import {
  AmbiguousNameError,
  InvalidPayloadError,
  InviteRequiredError,
  JoinRejectedError,
  NameTakenError,
  NotFoundError,
  NotRootError,
  PendingError,
  RefusedError,
  RevokedError,
  UnavailableError
} from '../../../../src/runtime/errors.ts'
import { day, RealNetwork } from '../../../helpers/real-network.ts'

const waits = async (network: RealNetwork, name: string, key = SigningKey.generate()): Promise<SigningKey> => {
  await expect(network.root.admission.join(network.wish({ key, name }))).rejects.toThrow(PendingError)
  return key
}

describe('a join without an invite', () => {
  it.each(['invite', 'approve'] as const)('waits for the operator under the policy %s', async (admission) => {
    await using network = await RealNetwork.create({ admission })
    const told: PendingJoin[] = []
    network.root.events.addEventListener('pending', ({ detail }) => told.push(detail))
    const key = await waits(network, 'ann')
    await waits(network, 'ann', key)
    expect(network.root.admission.pending()).toMatchObject([{ name: 'ann', role: 'integrated' }])
    expect(told).toHaveLength(1)
  })

  it('is let in at once under the policy open, but not as a registry', async () => {
    await using network = await RealNetwork.create({ admission: 'open' })
    const { admission, replica } = network.root
    await admission.join(network.wish({ name: 'ann' }))
    expect(replica.state.memberByName('ann')?.role).toBe('integrated')
    await expect(admission.join(network.wish({ name: 'reg', role: 'secondary' }))).rejects.toThrow(PendingError)
    await expect(admission.join(network.wish({ name: 'ann' }))).rejects.toThrow(NameTakenError)
  })

  it('ends after a week: who still wants in has asked again', async () => {
    await using network = await RealNetwork.create()
    await waits(network, 'ann')
    network.clock.advance(8 * day)
    expect(network.root.admission.pending()).toEqual([])
    await waits(network, 'bob')
    expect(network.root.admission.pending()).toMatchObject([{ name: 'bob' }])
  })

  it('is on the list for as long as it is asked, and asked over a week later it is told anew', async () => {
    await using network = await RealNetwork.create()
    const told: PendingJoin[] = []
    network.root.events.addEventListener('pending', ({ detail }) => told.push(detail))
    const key = await waits(network, 'ann')
    network.clock.advance(8 * day)
    await waits(network, 'ann', key)
    expect(network.root.admission.pending()).toMatchObject([{ name: 'ann', sinceMs: network.clock.now() }])
    expect(told).toHaveLength(2)
  })

  it('waits since no time that has not come: asked again, it is one of today', async () => {
    await using network = await RealNetwork.create()
    network.clock.advance(400 * day)
    const key = await waits(network, 'ann')
    network.clock.advance(-400 * day)
    await waits(network, 'ann', key)
    expect(network.root.admission.pending()).toMatchObject([{ name: 'ann', sinceMs: network.clock.now() }])
  })

  it('keeps its place when a member hands over any number of void admissions', async () => {
    await using network = await RealNetwork.create()
    await network.root.close()
    const { authority, clock, rootKey: nodeKey } = network
    const logKey = SigningKey.generate()
    await openEpoch({
      path: network.path('root'),
      authority,
      logKey,
      node: { key: nodeKey, name: 'root' },
      revokeFormer: false,
      clock
    })
    const { admission, networkId } = await network.startRoot({ root: { logKey }, limits: { pendingJoins: 4 } })
    for (const name of ['ann', 'bob']) {
      await waits(network, name)
      clock.advance(1)
    }
    const mallory = SigningKey.generate().publicKey
    for (let n = 100; n < 110; n++) {
      clock.advance(1)
      const key = SigningKey.generate()
      const { publicKey } = key
      const base = { publicKey, name: `bot-${n}`, role: 'integrated', via: 'approved' } as const
      const body = { ...base, notAfterMs: clock.now(), join: network.wish({ key, name: base.name }).join }
      const place = { networkId, n, prevHash: networkId, epoch: 0, timeMs: clock.now() }
      const entry = sealEntry({ ...place, kind: 'admit', body }, network.logKey).bytes
      await expect(admission.reissueEntry(entry, mallory)).rejects.toThrow(PendingError)
    }
    expect(admission.pending().map(({ name }) => name)).toEqual(['ann', 'bob', 'bot-108', 'bot-109'])
  })

  it('is turned away with all others that fit, in one step', async () => {
    await using network = await RealNetwork.create()
    const bot = await waits(network, 'bot-1')
    await waits(network, 'ann')
    await waits(network, 'bot-2')
    const { admission } = network.root
    expect(await admission.rejectAll(({ name }) => name.startsWith('bot-'), 'no bots')).toBe(2)
    expect(admission.pending()).toMatchObject([{ name: 'ann' }])
    await expect(admission.join(network.wish({ name: 'bot-1', key: bot }))).rejects.toThrow(JoinRejectedError)
    expect(await admission.rejectAll(() => false, '')).toBe(0)
  })

  it('is let in by an open network no faster than replicas follow, and up to a size', async () => {
    const limits = { openJoins: { count: 2, perMs: 60_000 }, openMembers: 5 }
    await using network = await RealNetwork.create({ admission: 'open' }, { limits })
    const { admission } = network.root
    const asks = (name: string) => admission.join(network.wish({ name }))
    await asks('ann')
    await asks('bob')
    await expect(asks('cem')).rejects.toThrow(
      'this open network let in 2 machines without an invite in 60 s: try later, or ask for an invite'
    )
    network.clock.advance(30_000)
    await asks('cem')
    await expect(asks('dan')).rejects.toThrow(UnavailableError)
    network.clock.advance(60_000)
    await asks('dan')
    await expect(asks('eve')).rejects.toThrow(PendingError)
  })

  it('that waits is let in when the policy opens, but for registries and names that are taken, and no faster than others', async () => {
    const limits = { openJoins: { count: 2, perMs: 60_000 } }
    await using network = await RealNetwork.create({ admission: 'approve' }, { limits })
    const { admission, replica } = network.root
    for (const name of ['ann', 'ann', 'bob', 'cem']) {
      await waits(network, name)
      network.clock.advance(1)
    }
    await expect(admission.join(network.wish({ name: 'reg', role: 'secondary' }))).rejects.toThrow(PendingError)
    expect(await admission.letInWaiting()).toBe(0)
    await admission.changePolicy({ admission: 'open' })
    expect(await admission.letInWaiting()).toBe(2)
    expect([...replica.state.members()].map(({ name }) => name)).toEqual(['root', 'ann', 'bob'])
    expect(await admission.letInWaiting()).toBe(0)
    network.clock.advance(60_000)
    expect(await admission.letInWaiting()).toBe(1)
    expect(admission.pending().map(({ name }) => name)).toEqual(['ann', 'reg'])
    const told = replica.state.memberByName('cem')
    expect(told?.role).toBe('integrated')
  })

  it('is judged by the last policy of the log', async () => {
    await using network = await RealNetwork.create()
    await network.root.admission.changePolicy({ admission: 'open' })
    await expect(network.root.admission.join(network.wish({ name: 'ann' }))).resolves.toBeDefined()
  })

  it('takes the place of the oldest of whoever has most on a full list', async () => {
    await using network = await RealNetwork.create({}, { limits: { pendingJoins: 4 } })
    const names = () => network.root.admission.pending().map(({ name }) => name)
    const from = async (asker: string, name: string) => {
      network.clock.advance(1)
      await expect(network.root.admission.join({ ...network.wish({ name }), asker })).rejects.toThrow(PendingError)
    }
    const ann = await waits(network, 'ann')
    await from('site', 'bot-1')
    await from('site', 'bot-2')
    await from('other', 'cem')
    await from('third', 'dan')
    expect(names()).toEqual(['ann', 'bot-2', 'cem', 'dan'])
    await waits(network, 'ann', ann)
    await network.root.admission.reject('bot-2', '')
    await from('site', 'bot-3')
    await from('site', 'bot-4')
    // One each: the oldest of all.
    expect(names()).toEqual(['cem', 'dan', 'bot-3', 'bot-4'])
  })

  it('needs an invite where there is no list', async () => {
    await using network = await RealNetwork.create({}, { limits: { pendingJoins: 0 } })
    await expect(network.root.admission.join(network.wish({ name: 'ann' }))).rejects.toThrow(InviteRequiredError)
  })

  it('is refused at once when the name is taken', async () => {
    await using network = await RealNetwork.create()
    await expect(network.root.admission.join(network.wish({ name: 'root' }))).rejects.toThrow(NameTakenError)
  })

  it('waits over a restart of the root', async () => {
    await using network = await RealNetwork.create()
    const key = await waits(network, 'ann')
    await network.root.close()
    await network.startRoot()
    await network.root.admission.approve(peerIdText(key.publicKey))
    expect(network.root.replica.isMember(key.publicKey)).toBe(true)
  })
})

describe('the operator', () => {
  it('approves by name, by PeerId and by key', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    await waits(network, 'ann')
    const bob = await waits(network, 'bob')
    const cem = await waits(network, 'cem')
    await admission.approve('ann')
    await admission.approve(peerIdText(bob.publicKey))
    await admission.approve(cem.publicKey)
    expect(admission.pending()).toEqual([])
    expect(replica.state.memberByName('ann')).toBeDefined()
    await expect(admission.join(network.wish({ key: bob, name: 'bob' }))).resolves.toBeDefined()
  })

  it('is told when a name is not the only one, or has been given away meanwhile', async () => {
    await using network = await RealNetwork.create()
    const { admission } = network.root
    const ann = await waits(network, 'ann')
    const other = await waits(network, 'ann')
    await expect(admission.approve('ann')).rejects.toThrow(AmbiguousNameError)
    await expect(admission.approve('ann')).rejects.toThrow(peerIdText(other.publicKey))
    await admission.approve(ann.publicKey)
    await expect(admission.approve('ann')).rejects.toThrow(NameTakenError)
    await admission.reject('ann', 'name taken')
  })

  it('is told when nobody waits under a name or key, or it is no PeerId at all', async () => {
    await using network = await RealNetwork.create()
    const { admission } = network.root
    await expect(admission.approve('nobody')).rejects.toThrow(NotFoundError)
    await expect(admission.reject(SigningKey.generate().publicKey, '')).rejects.toThrow(NotFoundError)
    await expect(admission.approve('No such PeerId')).rejects.toThrow(InvalidPayloadError)
  })

  it('rejects, and the joiner is told why from then on', async () => {
    await using network = await RealNetwork.create()
    const { admission, events } = network.root
    const told: string[] = []
    events.addEventListener('rejected', ({ detail }) => told.push(detail.reason))
    const key = await waits(network, 'ann')
    await admission.reject('ann', 'not one of ours')
    expect(told).toEqual(['not one of ours'])
    const join = admission.join(network.wish({ key, name: 'other' }))
    await expect(join).rejects.toThrow(JoinRejectedError)
    await expect(join).rejects.toThrow('not one of ours')
    expect(admission.pending()).toEqual([])
  })

  it('rejects without a reason, and the joiner is told what to do', async () => {
    await using network = await RealNetwork.create()
    const { admission } = network.root
    const key = await waits(network, 'ann')
    await admission.reject('ann', '')
    await expect(admission.join(network.wish({ key, name: 'ann' }))).rejects.toThrow(
      'the operator refused this machine: ask for an invite'
    )
  })

  it('approves one that came by way of another registry, with the receipt of that', async () => {
    await using network = await RealNetwork.create()
    const secondary = await network.addSecondary('sec')
    await expect(secondary.admission.join(network.wish({ name: 'ann' }))).rejects.toThrow(PendingError)
    const entry = openEntry((await network.root.admission.approve('ann')).admit, network.root.networkId).value
    const receipt = entry.kind === 'admit' ? entry.body.receipt : undefined
    const { signer } = openReceipt(receipt ?? new Uint8Array(), network.root.networkId)
    expect(network.root.replica.state.member(signer)?.name).toBe('sec')
  })

  it('can do none of that where the root is not', async () => {
    await using network = await RealNetwork.create()
    const { admission } = await network.addSecondary('sec')
    await expect(admission.invite({ role: 'integrated' })).rejects.toThrow(NotRootError)
    await expect(admission.approve('ann')).rejects.toThrow(NotRootError)
    await expect(admission.reject('ann', '')).rejects.toThrow(NotRootError)
    await expect(admission.revoke(network.rootKey.publicKey, '')).rejects.toThrow(NotRootError)
  })
})

describe('revoking', () => {
  it('shuts a key out for ever, with its record, and is told', async () => {
    await using network = await RealNetwork.create()
    const { admission, events, replica } = network.root
    const told: string[] = []
    events.addEventListener('ended', ({ detail }) => told.push(peerIdText(detail.publicKey)))
    const ann = await network.admit('ann')
    await admission.revoke(ann.publicKey, 'stolen')
    await admission.revoke(ann.publicKey, 'stolen')
    expect(told).toEqual([peerIdText(ann.publicKey)])
    expect(replica.isMember(ann.publicKey)).toBe(false)
    const invite = await network.invite()
    await expect(admission.join(network.wish({ key: ann, name: 'again', invite }))).rejects.toThrow(RevokedError)
    await expect(network.admit('ann')).rejects.toThrow('free from')
    await admission.join(network.wish({ name: 'ann', invite: await network.invite({ replaces: 'ann' }) }))
  })

  it('is refused for the root itself and for those who are no members', async () => {
    await using network = await RealNetwork.create()
    const { admission } = network.root
    await expect(admission.revoke(network.rootKey.publicKey, '')).rejects.toThrow(RefusedError)
    await expect(admission.revoke(SigningKey.generate().publicKey, '')).rejects.toThrow(NotFoundError)
  })
})

describe('a membership that has ended', () => {
  it('is given again by another invite', async () => {
    await using network = await RealNetwork.create({ membershipMs: day })
    const { admission, replica, root } = network.root
    const ann = await network.admit('ann')
    network.clock.advance(2 * day)
    await root?.checkpoint()
    expect(replica.isMember(ann.publicKey)).toBe(false)
    const invite = await network.invite()
    await admission.join(network.wish({ key: ann, name: 'ann', invite }))
    expect(replica.isMember(ann.publicKey)).toBe(true)
  })
})
