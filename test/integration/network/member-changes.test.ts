import { describe, expect, it } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import {
  InvalidPayloadError,
  LogMismatchError,
  NameTakenError,
  NotFoundError,
  NotRootError
} from '../../../src/runtime/errors.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

/** Name, role and groups of a member, as a node sees it in the log. */
const seenBy = (node: TrustNode, { key }: TrustNode): string => {
  const member = node.registry.replica.state.member(key.publicKey)
  return member === undefined ? 'none' : [member.name, member.role, ...member.groups].join(' ')
}

/** Role that a node gives to the other side of its connection. */
const roleOnConnection = (node: TrustNode, { key }: TrustNode): string | undefined =>
  [...(node.network?.trust.members() ?? [])].find(({ member }) => Buffer.compare(member.publicKey, key.publicKey) === 0)
    ?.member.role

describe('a member', () => {
  it('is renamed, regrouped and given another role at the root, and everybody knows', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    const [hal, bob] = [await network.join('hal'), await network.join('bob')]
    await root.control.changeMember({ peer: 'hal', name: 'hal-2' })
    const again = await root.control.changeMember({ peer: 'hal', name: 'hal-2' })
    expect(again).toMatchObject({ entry: null, message: 'is already hal-2, integrated, in no group' })
    const hal3 = root.control.changeMember({ peer: 'hal', name: 'hal-3' })
    await expect(hal3).rejects.toThrow('no member is called hal any more: it is hal-2 now')
    await root.control.changeMember({ peer: 'hal-2', groups: ['web', 'db', 'web'] })
    const planned = await root.control.changeMember({ peer: 'hal-2', role: 'external', plan: true })
    expect(planned).toMatchObject({ entry: null, message: expect.stringMatching(/^would be hal-2, external, in /) })
    const changed = await root.control.changeMember({ peer: 'hal-2', role: 'external' })
    expect(changed).toMatchObject({ name: 'hal-2', message: 'is now hal-2, external, in db, web' })
    for (const node of [root, hal, bob]) await eventually(() => seenBy(node, hal) === 'hal-2 external db web')
    await eventually(() => roleOnConnection(root, hal) === 'external')
    expect(await root.control.changeMember({ peer: 'hal-2', role: 'external' })).toMatchObject({ entry: null })
    expect((await bob.control.members()).members).toMatchObject([
      { name: 'bob', groups: [] },
      { name: 'hal-2', role: 'external', groups: ['db', 'web'], ephemeralMs: null },
      { name: 'root' }
    ])
    // Its configuration says the name of before, which is nobody's business.
    await hal.stop('it starts again')
    const restarted = await network.join('hal')
    expect(seenBy(root, restarted)).toBe('hal-2 external db web')
  })

  it('is not changed elsewhere, into what another is, or into the root', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    const bob = await network.join('bob')
    await expect(bob.control.changeMember({ peer: 'bob', name: 'b' })).rejects.toThrow(NotRootError)
    await expect(bob.control.endMember({ peer: 'bob', reason: '' })).rejects.toThrow(/root \(12D3KooW/)
    await expect(root.control.changeMember({ peer: 'bob', name: 'root' })).rejects.toThrow(NameTakenError)
    const planned = root.control.changeMember({ peer: 'bob', name: 'root', plan: true })
    await expect(planned).rejects.toThrow(NameTakenError)
    await expect(root.control.changeMember({ peer: 'bob', name: 'B.' })).rejects.toThrow(InvalidPayloadError)
    await expect(root.control.changeMember({ peer: 'bob', role: 'root' })).rejects.toThrow('promote')
    await expect(root.control.changeMember({ peer: 'bob', role: 'root', plan: true })).rejects.toThrow('promote')
    await expect(root.control.changeMember({ peer: 'root', role: 'integrated' })).rejects.toThrow('promote a secondary')
    await expect(root.control.endMember({ peer: 'root', reason: '' })).rejects.toThrow('promote a secondary')
    await expect(root.control.retireRegistry({ peer: 'root' })).rejects.toThrow('promote a secondary')
    await expect(root.control.endMember({ peer: 'nobody', reason: '' })).rejects.toThrow(NotFoundError)
    const alike = await root.control.changeMember({ peer: 'bob', name: 'ro-ot' })
    expect(alike.message).toContain('looks like that of root')
  })

  it('whose membership ends is out at once, its name is free, and a new invite lets it in again', async () => {
    await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
    const root = network.node('root')
    const join = async (name: string, invite: Awaited<ReturnType<typeof network.invite>>): Promise<TrustNode> => {
      const node = network.make(name, { 'bootstrap.peers': [network.address('root')] })
      node.invites.use(invite)
      await node.start()
      return node
    }
    const many = await network.invite({ role: 'integrated', uses: 5 })
    const hal = await join('hal', many)
    const bob = await join('bob', many)
    await Promise.all([hal, bob].map((node) => node.joined({ signal: AbortSignal.timeout(ceilingMs) })))
    await eventually(() => roleOnConnection(root, hal) === 'integrated')
    const plan = await root.control.endMember({ peer: 'hal', reason: 'moved', plan: true })
    expect([plan.entry, seenBy(root, hal)]).toEqual([null, 'hal integrated'])
    const { entry } = await root.control.endMember({ peer: 'hal', reason: 'moved' })
    expect(entry).toBe(root.registry.replica.head.n)
    for (const node of [root, bob]) await eventually(() => seenBy(node, hal) === 'none')
    await eventually(() => roleOnConnection(root, hal) === undefined && roleOnConnection(bob, hal) === undefined)
    await eventually(() => bob.registry.records.get(hal.key.publicKey) === undefined)
    for (const { control } of [root, bob]) {
      const why = await control.why({ peer: 'hal' })
      expect(why).toMatchObject({ peerId: hal.peerId, name: 'hal', checks: [{ what: 'member', ok: false }] })
      expect(why.summary).toMatch(/^hal was a member; its membership was ended at .* UTC by the operator root: moved$/)
      expect((await control.why({ peer: hal.peerId })).summary).toBe(why.summary)
    }
    await expect(root.control.changeMember({ peer: 'hal', groups: [] })).rejects.toThrow('trustnet why hal')
    await root.control.changeMember({ peer: 'bob', name: 'hal' })
    await root.control.changeMember({ peer: 'hal', name: 'bob' })
    // The invite that had let it in does not let it in again, a new one does.
    await eventually(async () => (await hal.control.status()).membership.state !== 'member')
    hal.invites.use(await network.invite({ role: 'integrated' }))
    await hal.stop('it is asked again')
    const again = await join('hal', await network.invite({ role: 'integrated' }))
    await again.joined({ signal: AbortSignal.timeout(ceilingMs) })
    expect(seenBy(root, again)).toBe('hal integrated')
    expect(again.peerId).toBe(hal.peerId)
  })

  it('that is ephemeral is let go when it has been offline for long enough', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    const run = network.make('run', { 'bootstrap.peers': [network.address('root')] })
    run.invites.use(await network.invite({ role: 'integrated', groups: ['ci'], ephemeralMs: 1000 }))
    await run.start()
    await run.joined({ signal: AbortSignal.timeout(ceilingMs) })
    expect(seenBy(root, run)).toBe('run integrated ci')
    await run.stop('done')
    await eventually(() => seenBy(root, run) === 'none')
    const { summary } = await root.control.why({ peer: 'run' })
    expect(summary).toMatch(/^run was a member; its membership was ended at .* by the root: ephemeral, and offline$/)
  })
})

describe('a secondary', () => {
  it('that is retired serves nobody any more, stays a member, and is not entered again', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    const second = await network.join('second', { role: 'secondary' })
    await eventually(() => root.registry.replica.state.registry(second.key.publicKey) !== undefined)
    await expect(root.control.changeMember({ peer: 'second', role: 'integrated' })).rejects.toThrow('registry retire')
    const body = { publicKey: second.key.publicKey, name: 'second', role: 'integrated' as const, groups: [] }
    await expect(root.registry.root?.append([{ kind: 'change', body }], { byOperator: true })).rejects.toThrow(
      LogMismatchError
    )
    expect(await root.control.retireRegistry({ peer: 'second', plan: true })).toMatchObject({ entry: null })
    const { entry } = await root.control.retireRegistry({ peer: 'second' })
    expect(entry).toBe(root.registry.replica.head.n)
    await eventually(() => seenBy(second, second) === 'second integrated')
    expect(await root.control.retireRegistry({ peer: 'second' })).toMatchObject({ entry: null })
    expect(root.registry.replica.state.registries()).toHaveLength(1)
    await root.control.changeMember({ peer: 'second', role: 'secondary' })
    await eventually(() => root.registry.replica.state.registry(second.key.publicKey) !== undefined)
  })
})
