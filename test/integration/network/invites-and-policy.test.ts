import { expect, it } from 'vitest'
import { peerIdText, SigningKey } from '../../../src/identity/keys.ts'
import { decodeInvite } from '../../../src/registry/objects/invite.ts'
import { NotFoundError, NotRootError } from '../../../src/runtime/errors.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

/** Begins with the call. */
const soon = () => ({ signal: AbortSignal.timeout(ceilingMs) })

it('invites are listed with whom they let in, at every node, and are taken back at the root', async () => {
  await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
  const root = network.node('root')
  const made = await root.control.invite({ uses: 2, note: 'the lab' })
  const a = network.make('a', { networkId: undefined })
  a.invites.use(decodeInvite(made.line))
  await a.start()
  await a.joined(soon())
  await eventually(async () => (await a.control.invites()).invites[0]?.taken === 1)
  for (const { control } of [root, a]) {
    const { invites } = await control.invites({ id: made.id.slice(0, 6) })
    const open = { state: 'open', reason: null }
    expect(invites).toMatchObject([
      { id: made.id, ...open, uses: 2, taken: 1, note: 'the lab', members: [{ name: 'a' }] }
    ])
  }
  await expect(a.control.cancelInvite({ id: made.id, reason: '' })).rejects.toThrow(NotRootError)
  const planned = await root.control.cancelInvite({ id: made.id.slice(0, 6), reason: 'lost', plan: true })
  expect(planned).toMatchObject({ id: made.id, entry: null })
  expect(await root.control.cancelInvite({ id: made.id.slice(0, 6), reason: 'lost' })).toMatchObject({
    id: made.id,
    message: expect.stringMatching(/^is taken back/)
  })
  const { n } = root.registry.replica.head
  expect(await root.control.cancelInvite({ id: made.id.slice(0, 6), reason: 'lost' })).toMatchObject({
    id: made.id,
    entry: n,
    message: 'lets nobody in: it was ended before'
  })
  expect(root.registry.replica.head.n).toBe(n)
  await expect(root.control.cancelInvite({ id: 'ff00ff', reason: '' })).rejects.toThrow(NotFoundError)
  await expect(root.control.invites({ id: 'ff00ff' })).rejects.toThrow(NotFoundError)
  await eventually(async () => (await a.control.invites()).invites.length === 0)
  const ended = { id: made.id, state: 'cancelled', reason: 'lost', taken: 1, members: [{ name: 'a' }] }
  for (const { control } of [root, a]) {
    expect((await control.invites({ id: made.id.slice(0, 6) })).invites).toMatchObject([ended])
    expect((await control.invites({ all: true })).invites).toMatchObject([ended])
  }
  const b = network.make('b', { networkId: undefined })
  b.invites.use(decodeInvite(made.line))
  await b.start()
  await eventually(() => b.network?.trouble?.name === 'InviteInvalidError')
})

it('invites that are used up are listed with whom they let in, and each end is told by its own entry', async () => {
  await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
  const root = network.node('root')
  const a = network.make('a', { 'bootstrap.peers': [network.address('root')] })
  a.invites.use(await network.invite({ role: 'integrated', note: 'for a' }))
  await a.start()
  await a.joined(soon())
  const two = [await root.control.invite({}), await root.control.invite({})]
  const ends = await Promise.all(two.map(({ id }) => root.control.cancelInvite({ id, reason: '' })))
  expect(new Set(ends.map(({ entry }) => entry)).size).toBe(2)
  await root.control.changeMember({ peer: 'a', name: 'anna' })
  expect((await root.control.invites()).invites).toEqual([])
  expect((await root.control.invites({ all: true })).invites).toMatchObject([
    { state: 'used', reason: null, note: 'for a', taken: 1, uses: 1, members: [{ peerId: a.peerId, name: 'anna' }] },
    ...two.map(({ id }) => ({ id, state: 'cancelled', taken: 0, members: [] }))
  ])
  await root.control.endMember({ peer: 'anna', reason: 'over' })
  const [used] = (await root.control.invites({ all: true })).invites
  expect(used?.members).toEqual([{ peerId: a.peerId, name: 'a' }])
})

it('an operator who was removed is removed already, and one who never was is not known', async () => {
  await using network = await TestNetwork.create()
  const { control, registry } = network.node('root')
  const keyId = peerIdText(SigningKey.generate().publicKey)
  await control.addOperator({ name: 'ann', keyId })
  expect(await control.removeOperator({ name: 'ann' })).toMatchObject({ message: expect.stringContaining('no more') })
  const { n } = registry.replica.head
  const again = await control.removeOperator({ name: 'ann' })
  expect(again).toMatchObject({ keyId, entry: n, message: 'is no operator: the key was removed before' })
  expect(registry.replica.head.n).toBe(n)
  await expect(control.removeOperator({ name: 'bob' })).rejects.toThrow(NotFoundError)
})

it('a policy that is set at the root acts at once, and every node knows it', async () => {
  await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
  const root = network.node('root')
  const a = network.make('a', { 'bootstrap.peers': [network.address('root')] })
  a.invites.use(await network.invite({ role: 'integrated' }))
  await a.start()
  await a.joined(soon())
  expect(await a.control.policy()).toMatchObject({ entry: 0, policy: { admission: 'invite' } })
  await expect(a.control.setPolicy({ admission: 'open' })).rejects.toThrow(NotRootError)
  await root.control.setPolicy({ admission: 'open', membershipMs: 3_600_000 })
  await eventually(async () => (await a.control.policy()).policy.admission === 'open')
  const b = await network.join('b')
  const { policy, entry } = await b.control.policy()
  expect(policy.membershipMs).toBe(3_600_000)
  expect(entry).toBeGreaterThan(0)
  expect(b.registry.replica.state.member(b.key.publicKey)?.notAfterMs).toBeLessThanOrEqual(Date.now() + 3_600_000)
})
