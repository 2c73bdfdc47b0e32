import { expect } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import type { Invite } from '../../../src/registry/objects/invite.ts'
import { NotMemberError } from '../../../src/runtime/errors.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { attack, control } from '../attack.ts'

const inviteOnly = { 'admission.policy': 'invite' }
const joined = async (node: TrustNode): Promise<void> => await node.joined({ signal: AbortSignal.timeout(ceilingMs) })

interface Stage {
  network: TestNetwork
  root: TrustNode
  bob: TrustNode
  hal: TrustNode
  invite: Invite
}

/** A root and two members that came by one invite, which is open still. */
async function stage(): Promise<Stage> {
  const network = await TestNetwork.create(inviteOnly)
  const invite = await network.invite({ role: 'integrated', uses: 9 })
  const [hal, bob] = ['hal', 'bob'].map((name) => network.make(name, { 'bootstrap.peers': [network.address('root')] }))
  if (hal === undefined || bob === undefined) throw new Error('no node')
  for (const node of [hal, bob]) {
    node.invites.use(invite)
    await node.start()
    await joined(node)
  }
  const root = network.node('root')
  await eventually(() => bob.registry.records.get(hal.key.publicKey) !== undefined)
  return { network, root, bob, hal, invite }
}

const isMemberAt = (node: TrustNode, { key }: TrustNode): boolean => node.registry.replica.isMember(key.publicKey)

/** Connections of the machine that a node takes for those of a member. */
const provenAt = (node: TrustNode, { key }: TrustNode): number =>
  [...(node.network?.trust.members() ?? [])].filter(
    ({ member }) => Buffer.compare(member.publicKey, key.publicKey) === 0
  ).length

/** The machine starts again with the store of before, which says that it is a member, and without its root's address. */
async function cameBack({ network, root, bob, hal }: Stage): Promise<TrustNode> {
  const again = network.make('hal', { 'bootstrap.peers': [network.address('bob')] })
  await again.start()
  expect(isMemberAt(again, hal)).toBe(true)
  const isHeard = (): boolean => provenAt(bob, hal) + provenAt(root, hal) > 0
  const isTold = (): boolean => !isMemberAt(again, hal) || again.network?.trouble !== undefined
  await eventually(() => isHeard() || isTold())
  return again
}

attack('a member that was let go comes back with its store, its proof and its record', async () => {
  const all = await stage()
  await using _ = all.network
  const { root, bob, hal } = all
  const record = bob.registry.records.get(hal.key.publicKey)?.envelope ?? new Uint8Array()
  await hal.stop('it is cut off')
  await root.control.endMember({ peer: 'hal', reason: 'let go' })
  await eventually(() => !isMemberAt(bob, hal))
  const again = await cameBack(all)
  const proven = provenAt(bob, hal) + provenAt(root, hal)
  // Its replica still has it as a member; its status believes who answers. In an open network it would be one again.
  await eventually(async () => (await again.control.status()).membership.state === 'pending')
  const told = await again.control.status()
  expect(told.summary).toMatch(/^the membership was ended while this node was away: the join waits at /)
  expect(told.warnings).toContainEqual(
    expect.objectContaining({ code: 'not_admitted', fix: 'trustnet registry approve hal (at the root)' })
  )
  const put = await Promise.allSettled([bob, root].map(({ registry }) => registry.records.put(record, { hold: false })))
  const taken = put.filter(({ status }) => status === 'fulfilled').length
  for (const each of put) expect(each).toMatchObject({ reason: expect.any(NotMemberError) })
  expect([proven, taken, isMemberAt(bob, hal), isMemberAt(root, hal)]).toEqual([0, 0, false, false])
  return {
    happened: `${proven} of its connections counted as a member's, ${taken} of 2 registries took its record`,
    held: 'an admit entry at or below the head proves nothing of a key that the log does not have'
  }
})

control('a member that was not let go comes back with the same', async () => {
  const all = await stage()
  await using _ = all.network
  await all.hal.stop('it is cut off')
  await cameBack(all)
  await eventually(() => provenAt(all.bob, all.hal) > 0)
})

attack(
  'the request by which a member had joined, which the log shows to all, is played again after its end',
  async () => {
    const { network, root, bob, hal, invite } = await stage()
    await using _ = network
    const admit = bob.registry.replica.state.member(hal.key.publicKey)?.admit.value
    if (admit?.kind !== 'admit' || admit.body.join === undefined) throw new Error('no admission')
    await root.control.endMember({ peer: 'hal', reason: 'let go' })
    const outcome = await root.registry.admission.join({ join: admit.body.join }).then(
      () => 'let in',
      (error: Error) => error.name
    )
    // By the entry, or where its subscription had not begun yet by the refusal that follows.
    await eventually(async () => (await hal.control.status()).membership.state !== 'member')
    // The machine itself asks again, too, with the line that it still has.
    hal.invites.use(invite)
    await eventually(() => hal.network?.trouble?.name === 'InviteUsedError').catch((error: Error) => {
      throw new Error(`it is told ${hal.network?.trouble?.name}: ${hal.network?.trouble?.message}`, { cause: error })
    })
    expect([outcome, isMemberAt(root, hal)]).toEqual(['InviteUsedError', false])
    return {
      happened: `${outcome} for the request and for the machine, while 7 of 9 uses of the invite are open`,
      held: 'an open invite does not let in again whose membership by it was ended'
    }
  }
)

control('the invite lets another machine in, and a new one the same machine', async () => {
  const { network, root, hal } = await stage()
  await using _ = network
  await root.control.endMember({ peer: 'hal', reason: 'let go' })
  await hal.stop('it is asked again')
  const again = network.make('hal', { 'bootstrap.peers': [network.address('root')] })
  again.invites.use(await network.invite({ role: 'integrated' }))
  await again.start()
  await joined(again)
  expect(isMemberAt(root, hal)).toBe(true)
})
