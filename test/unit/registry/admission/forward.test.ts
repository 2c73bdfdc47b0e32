import { describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import type { RootRequest } from '../../../../src/registry/admission/root-request-queue.ts'
import { sealDelegation } from '../../../../src/registry/log/log-writer.ts'
import { openEntry } from '../../../../src/registry/objects/entry.ts'
import { openJoin } from '../../../../src/registry/objects/join.ts'
import { openReceipt, sealReceipt } from '../../../../src/registry/objects/receipt.ts'
import { sealRenewRequest } from '../../../../src/registry/objects/renew-request.ts'
import type { Registry } from '../../../../src/registry/registry.ts'
import {
  InvalidPayloadError,
  InviteExpiredError,
  InviteInvalidError,
  InviteUsedError,
  NameTakenError,
  PendingError,
  RevokedError,
  UnavailableError
} from '../../../../src/runtime/errors.ts'
import { day, RealNetwork } from '../../../helpers/real-network.ts'

const hour = 3_600_000

/** Cuts the way to the root; gives what is tried on it. */
const cut = (registry: Registry): RootRequest[] => {
  const tried: RootRequest[] = []
  registry.admission.forward = (request) => {
    tried.push(request)
    return Promise.reject(new UnavailableError('the root is away', 1000))
  }
  return tried
}

describe('a registry that is not the root', () => {
  it('verifies a join, signs a receipt, and gives the entry that the root made of it', async () => {
    await using network = await RealNetwork.create()
    const secondary = await network.addSecondary('sec')
    const { admit } = await secondary.admission.join(network.wish({ name: 'ann', invite: await network.invite() }))
    const entry = openEntry(admit, network.root.networkId).value
    const receipt = entry.kind === 'admit' ? entry.body.receipt : undefined
    const { signer, value } = openReceipt(receipt ?? new Uint8Array(), network.root.networkId)
    const own = network.root.replica.state.memberByName('sec')?.publicKey
    expect(Buffer.from(signer)).toEqual(Buffer.from(own ?? []))
    expect(value.timeMs).toBe(network.clock.now())
    await network.sync(secondary)
    expect(secondary.replica.state.memberByName('ann')).toBeDefined()
  })

  it('never asks the root about what it can refuse itself', async () => {
    await using network = await RealNetwork.create()
    const secondary = await network.addSecondary('sec')
    const bob = await network.admit('bob')
    await network.root.admission.revoke(bob.publicKey, '')
    await network.sync(secondary)
    const tried = cut(secondary)
    const { admission } = secondary
    const invite = await network.invite({ ttlMs: 1000 })
    await network.sync(secondary)
    const stolen = { ...invite, inviteKey: SigningKey.generate() }
    await expect(admission.join(network.wish({ name: 'ann', invite: stolen }))).rejects.toThrow(InviteInvalidError)
    await expect(admission.join(network.wish({ key: bob, name: 'bob', invite }))).rejects.toThrow(RevokedError)
    network.clock.advance(1001)
    await expect(admission.join(network.wish({ name: 'ann', invite }))).rejects.toThrow(InviteExpiredError)
    expect(tried).toEqual([])
    expect(admission.queued).toBe(0)
  })

  it('answers a member without the root', async () => {
    await using network = await RealNetwork.create()
    const secondary = await network.addSecondary('sec')
    const ann = await network.admit('ann')
    await network.sync(secondary)
    const tried = cut(secondary)
    await secondary.admission.join(network.wish({ key: ann, name: 'ann' }))
    expect(tried).toEqual([])
  })

  it('passes the refusals of the root on and keeps nothing of them', async () => {
    await using network = await RealNetwork.create()
    const { admission } = await network.addSecondary('sec')
    const invite = await network.invite()
    await admission.join(network.wish({ name: 'ann', invite }))
    await expect(admission.join(network.wish({ name: 'bob', invite }))).rejects.toThrow(InviteUsedError)
    await expect(admission.join(network.wish({ name: 'cem' }))).rejects.toThrow(PendingError)
    expect(admission.queued).toBe(0)
    expect(network.root.admission.pending()).toMatchObject([{ name: 'cem' }])
  })
})

describe('while the root is away', () => {
  it('joins wait, one per peer, over a restart, and are sent once it is back', async () => {
    await using network = await RealNetwork.create()
    const key = SigningKey.generate()
    const admit = await network.invite({ role: 'secondary' })
    await network.root.admission.join(network.wish({ key, name: 'sec', role: 'secondary', invite: admit }))
    await network.enter(key)
    const wish = network.wish({ name: 'ann', invite: await network.invite() })
    const secondary = await network.openReplica('sec', key)
    cut(secondary)
    await expect(secondary.admission.join(wish)).rejects.toThrow(PendingError)
    await expect(secondary.admission.join(wish)).rejects.toThrow(PendingError)
    expect(secondary.admission.queued).toBe(1)
    await secondary.close()

    const again = await network.openReplica('sec', key)
    expect(again.admission.queued).toBe(1)
    expect(await again.admission.replayQueue()).toBe(1)
    expect(again.admission.queued).toBe(0)
    expect(network.root.replica.state.memberByName('ann')).toBeDefined()
  })

  it('the replay stops, keeps the rest, and does no harm when the answer was lost', async () => {
    await using network = await RealNetwork.create()
    const secondary = await network.addSecondary('sec')
    cut(secondary)
    const invite = await network.invite({ uses: 3 })
    await network.sync(secondary)
    for (const name of ['ann', 'bob', 'cem']) {
      await expect(secondary.admission.join(network.wish({ name, invite }))).rejects.toThrow(PendingError)
    }
    secondary.admission.forward = async (request) => {
      await network.forward(request)
      throw new Error('the stream broke before the answer')
    }
    expect(await secondary.admission.replayQueue()).toBe(0)
    expect(secondary.admission.queued).toBe(3)
    const { n } = network.root.replica.head
    secondary.admission.forward = network.forward
    expect(await secondary.admission.replayQueue()).toBe(3)
    expect(network.root.replica.head.n).toBe(n)
  })

  it('an invite that ends meanwhile still counts for a day, by the receipt of the registry', async () => {
    await using network = await RealNetwork.create()
    const secondary = await network.addSecondary('sec')
    cut(secondary)
    const told: string[] = []
    secondary.events.addEventListener('rejected', ({ detail }) => told.push(detail.reason))
    const ask = async (name: string) => {
      const wish = network.wish({ name, invite: await network.invite() })
      await network.sync(secondary)
      await expect(secondary.admission.join(wish)).rejects.toThrow(PendingError)
    }
    await ask('ann')
    network.clock.advance(23 * hour)
    secondary.admission.forward = network.forward
    await secondary.admission.replayQueue()
    expect(network.root.replica.state.memberByName('ann')).toBeDefined()
    cut(secondary)
    await ask('bob')
    network.clock.advance(25 * hour)
    secondary.admission.forward = network.forward
    await secondary.admission.replayQueue()
    expect(network.root.replica.state.memberByName('bob')).toBeUndefined()
    expect(secondary.admission.queued).toBe(0)
    expect(told).toHaveLength(1)
    expect(told[0]).toContain('ended')
  })

  it('a join that then waits for the operator of the root leaves the queue, and nobody is told of a refusal', async () => {
    await using network = await RealNetwork.create()
    const secondary = await network.addSecondary('sec')
    cut(secondary)
    await expect(secondary.admission.join(network.wish({ name: 'ann' }))).rejects.toThrow(PendingError)
    const told: unknown[] = []
    secondary.events.addEventListener('rejected', ({ detail }) => told.push(detail))
    secondary.admission.forward = network.forward
    expect(await secondary.admission.replayQueue()).toBe(1)
    expect(secondary.admission.queued).toBe(0)
    expect(network.root.admission.pending()).toMatchObject([{ name: 'ann' }])
    expect(told).toEqual([])
  })

  it('the queue is bounded, and those without an invite get half of it', async () => {
    await using network = await RealNetwork.create()
    const secondary = await network.addSecondary('sec', { limits: { queuedRequests: 4, queuedStrangers: 2 } })
    cut(secondary)
    const { admission } = secondary
    const invite = await network.invite({ uses: 9 })
    await network.sync(secondary)
    for (const name of ['ann', 'bob'])
      await expect(admission.join(network.wish({ name }))).rejects.toThrow(PendingError)
    await expect(admission.join(network.wish({ name: 'cem' }))).rejects.toThrow(PendingError)
    expect(admission.queuedJoins().map(({ name }) => name)).toEqual(['bob', 'cem'])
    const key = SigningKey.generate()
    await expect(admission.join(network.wish({ key, name: 'dan', invite }))).rejects.toThrow(PendingError)
    await expect(admission.join(network.wish({ name: 'eve', invite }))).rejects.toThrow(PendingError)
    // An invite goes before those without one.
    for (const name of ['fay', 'gil'])
      await expect(admission.join(network.wish({ name, invite }))).rejects.toThrow(PendingError)
    const full = admission.join(network.wish({ name: 'hob', invite }))
    await expect(full).rejects.toThrow(UnavailableError)
    await expect(full).rejects.toMatchObject({ retryAfterMs: 60_000 })
    const stranger = admission.join(network.wish({ name: 'ivo' }))
    await expect(stranger).rejects.toThrow(UnavailableError)
    await expect(admission.join(network.wish({ key, name: 'dan', invite }))).rejects.toThrow(PendingError)
    expect(admission.queued).toBe(4)
  })

  it('a name that is taken is refused at once, unless the invite replaces its holder', async () => {
    await using network = await RealNetwork.create()
    await network.admit('ann')
    const secondary = await network.addSecondary('sec')
    cut(secondary)
    const { admission } = secondary
    const invite = await network.invite()
    await network.sync(secondary)
    await expect(admission.join(network.wish({ name: 'ann', invite }))).rejects.toThrow(NameTakenError)
    const replacing = await network.invite({ replaces: 'ann' })
    await network.sync(secondary)
    await expect(admission.join(network.wish({ name: 'ann', invite: replacing }))).rejects.toThrow(PendingError)
  })

  it('a secondary that became the root decides over its own queue', async () => {
    await using network = await RealNetwork.create()
    const wish = network.wish({ name: 'ann', invite: await network.invite() })
    const secondary = await network.openReplica('sec', network.rootKey)
    cut(secondary)
    await expect(secondary.admission.join(wish)).rejects.toThrow(PendingError)
    await secondary.close()
    await network.root.close()
    const root = await network.startRoot({ path: network.path('sec') })
    expect(await root.admission.replayQueue()).toBe(1)
    expect(root.admission.queued).toBe(0)
    expect(root.replica.state.memberByName('ann')).toBeDefined()
  })

  it('a secondary that became the root decides over renewals and farewells in its queue, too', async () => {
    await using network = await RealNetwork.create()
    const [ann, bob] = [await network.admit('ann'), await network.admit('bob')]
    const key = SigningKey.generate()
    const invite = await network.invite({ role: 'secondary' })
    await network.root.admission.join(network.wish({ key, name: 'sec', role: 'secondary', invite }))
    const secondary = await network.openReplica('sec', key)
    cut(secondary)
    const { networkId, replica } = secondary
    network.clock.advance(60 * day)
    const notAfterMs = replica.state.member(ann.publicKey)?.notAfterMs ?? 0
    const renewal = sealRenewRequest({ networkId, publicKey: ann.publicKey, notAfterMs }, ann).bytes
    await expect(secondary.admission.renew(renewal)).rejects.toThrow(PendingError)
    const farewell = network.farewell(bob)
    await expect(secondary.admission.forget(farewell)).rejects.toThrow(PendingError)
    const logKey = SigningKey.generate()
    await replica.apply([sealDelegation(replica, network.authority, logKey.publicKey).bytes])
    await secondary.close()
    const root = await network.openReplica('sec', key, { role: 'root', root: { logKey } })
    expect(await root.admission.replayQueue()).toBe(2)
    expect(root.replica.state.member(ann.publicKey)?.notAfterMs).toBeGreaterThan(notAfterMs)
    expect(root.replica.state.member(bob.publicKey)).toBeUndefined()
  })

  it('an invite that is not known here is never queued, and the joiner is told to try again', async () => {
    await using network = await RealNetwork.create()
    const secondary = await network.addSecondary('sec')
    cut(secondary)
    const wish = network.wish({ name: 'ann', invite: await network.invite() })
    const join = secondary.admission.join(wish)
    await expect(join).rejects.toThrow(UnavailableError)
    await expect(join).rejects.toMatchObject({ retryAfterMs: 5_000 })
    expect(secondary.admission.queued).toBe(0)
    await network.sync(secondary)
    await expect(secondary.admission.join(wish)).rejects.toThrow(PendingError)
  })

  it('a root that was replaced asks the new one, and signs nothing more', async () => {
    await using network = await RealNetwork.create()
    const old = network.root
    const logKey = SigningKey.generate()
    await old.replica.apply([sealDelegation(old.replica, network.authority, logKey.publicKey).bytes])
    const tried = cut(old)
    await expect(old.admission.join(network.wish({ name: 'ann' }))).rejects.toThrow(PendingError)
    expect(tried.map(({ kind }) => kind)).toEqual(['join'])
    expect(old.admission.queued).toBe(1)
    const { admission } = old
    const words: (() => Promise<unknown>)[] = [
      () => network.invite(),
      () => admission.cancelInvite('00', 'lost'),
      () => admission.changePolicy({ admission: 'open' }),
      () => admission.approve('ann'),
      () => admission.reject('ann', 'no'),
      () => admission.rejectAll(() => true, 'no'),
      () => admission.revoke(SigningKey.generate().publicKey, 'lost')
    ]
    const refusals = await Promise.all(words.map((word) => word().then(String, (error: Error) => error.name)))
    expect(refusals).toEqual(words.map(() => 'NotRootError'))
  })
})

describe('a receipt', () => {
  it('counts only from a registry, for the join it names, and for a day', async () => {
    await using network = await RealNetwork.create()
    const { admission } = network.root
    const [ann, sec] = [await network.admit('ann'), SigningKey.generate()]
    const asSecondary = await network.invite({ role: 'secondary' })
    await admission.join(network.wish({ key: sec, name: 'sec', role: 'secondary', invite: asSecondary }))
    await network.enter(sec)
    const invite = await network.invite()
    const wish = network.wish({ name: 'bob', invite })
    const issued = network.clock.now()
    network.clock.advance(2 * hour)
    const byStranger = receiptOf(network, wish.join, SigningKey.generate(), issued)
    await expect(admission.join({ ...wish, receipt: byStranger })).rejects.toThrow(InviteExpiredError)
    const byMember = receiptOf(network, wish.join, ann, issued)
    await expect(admission.join({ ...wish, receipt: byMember })).rejects.toThrow(InviteExpiredError)
    const ofOther = receiptOf(network, network.wish({ name: 'bob' }).join, sec, issued)
    await expect(admission.join({ ...wish, receipt: ofOther })).rejects.toThrow(InvalidPayloadError)
    const late = receiptOf(network, wish.join, sec, issued - day)
    await expect(admission.join({ ...wish, receipt: late })).rejects.toThrow(InviteExpiredError)
    const bySecondary = receiptOf(network, wish.join, sec, issued)
    await expect(admission.join({ ...wish, receipt: bySecondary })).resolves.toBeDefined()
  })
})

const hashOfPayload = (join: Uint8Array, network: RealNetwork): Uint8Array =>
  openJoin(join, network.root.networkId).hash

const receiptOf = (network: RealNetwork, join: Uint8Array, key: SigningKey, timeMs: number): Uint8Array =>
  sealReceipt({ networkId: network.root.networkId, joinHash: hashOfPayload(join, network), timeMs }, key).bytes
