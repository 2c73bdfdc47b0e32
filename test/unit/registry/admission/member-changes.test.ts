import { describe, expect, it } from 'vitest'
import { NameTakenError, NotFoundError, NotRootError } from '../../../../src/runtime/errors.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'

describe('changes of a member', () => {
  it('that are made at once all count, and one that changes nothing is none', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    const { publicKey } = await network.admit('ann')
    const { n } = replica.head
    await Promise.all([
      admission.members.change(publicKey, { name: 'anna' }),
      admission.members.change(publicKey, { groups: ['web', 'db'] }),
      admission.members.change(publicKey, { role: 'external' })
    ])
    expect(replica.state.member(publicKey)).toMatchObject({ name: 'anna', groups: ['db', 'web'], role: 'external' })
    expect(await admission.members.change(publicKey, { name: 'anna', groups: ['db', 'web', 'db'] })).toBeUndefined()
    expect(replica.head.n).toBe(n + 3)
  })

  it('wait for nobody who is being asked for a signature, and neither does a member that leaves', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    const [{ publicKey }, bob] = [await network.admit('ann'), await network.admit('bob')]
    const asked = Promise.withResolvers<never>()
    const by = { asksPerson: true, append: async () => await asked.promise }
    const signed = [
      admission.members.change(publicKey, { name: 'anna' }, by),
      admission.members.end(publicKey, 'let go', by),
      admission.members.change(bob.publicKey, { groups: ['web'] }, by)
    ]
    await admission.members.change(publicKey, { role: 'external' })
    await admission.members.endUnasked(bob.publicKey, 'offline')
    expect(replica.state.memberByName('ann')).toMatchObject({ role: 'external' })
    expect(replica.state.memberByName('bob')).toBeUndefined()
    asked.reject(new Error('nobody has signed'))
    for (const each of await Promise.allSettled(signed)) expect(each.status).toBe('rejected')
  })

  it('are for the root and for members', async () => {
    await using network = await RealNetwork.create()
    const { publicKey } = await network.admit('ann')
    await network.admit('bob')
    const secondary = await network.addSecondary('sec')
    await network.sync(secondary)
    await expect(secondary.admission.members.change(publicKey, { name: 'a' })).rejects.toThrow(NotRootError)
    const { members } = network.root.admission
    await expect(members.change(publicKey, { name: 'bob' })).rejects.toThrow(NameTakenError)
    await expect(members.change(network.authority.publicKey, { name: 'a' })).rejects.toThrow(NotFoundError)
    await expect(members.end(network.rootKey.publicKey, '')).rejects.toThrow('promote')
    // A change that was refused does not hold up the next one.
    expect(await members.change(publicKey, { name: 'a' })).toBeDefined()
  })
})

describe('a change that is planned', () => {
  it('is the entry that would be made, and changes nothing', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    const { publicKey } = await network.admit('ann')
    const { n } = replica.head
    expect(admission.members.planned(publicKey, { groups: ['web', 'db', 'web'] })).toEqual({
      kind: 'change',
      body: { publicKey, name: 'ann', role: 'integrated', groups: ['db', 'web'] }
    })
    expect(admission.members.planned(publicKey, { name: 'ann', role: 'integrated', groups: [] })).toBeUndefined()
    expect(replica.head.n).toBe(n)
  })

  it('is refused as the change itself would be', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    const { publicKey } = await network.admit('ann')
    const secondary = await network.addSecondary('sec')
    const { members } = admission
    const key = replica.state.memberByName('sec')?.publicKey ?? new Uint8Array()
    expect(() => members.planned(publicKey, { name: 'sec' })).toThrow(NameTakenError)
    expect(() => members.planned(publicKey, { role: 'root' })).toThrow('see `trustnet registry promote --help`')
    expect(() => members.planned(key, { role: 'external' })).toThrow('run `trustnet registry retire sec` first')
    expect(() => members.planned(network.rootKey.publicKey, { role: 'external' })).toThrow('promote a secondary first')
    expect(() => members.planned(network.authority.publicKey, {})).toThrow(NotFoundError)
    // Where it can be planned by whoever asks, it is made at the root alone.
    await network.sync(secondary)
    expect(secondary.admission.members.planned(publicKey, { name: 'anna' })).toMatchObject({ kind: 'change' })
  })
})

describe('a secondary', () => {
  it('is retired with its place among the registries, once; the root is not', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    await network.addSecondary('sec')
    const key = replica.state.memberByName('sec')?.publicKey ?? new Uint8Array()
    expect((await admission.members.retire(key))?.value).toMatchObject({ kind: 'change', body: { role: 'integrated' } })
    expect(replica.state.registry(key)).toBeUndefined()
    expect(await admission.members.retire(key)).toBeUndefined()
    await expect(admission.members.retire(network.rootKey.publicKey)).rejects.toThrow('promote a secondary first')
  })

  it('that is retired before the root has entered it into the set is an ordinary member', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    const invite = await admission.invite({ role: 'secondary' })
    await admission.join(network.wish({ name: 'sec', role: 'secondary', invite }))
    const publicKey = replica.state.memberByName('sec')?.publicKey ?? new Uint8Array()
    await admission.members.retire(publicKey)
    expect(replica.state.member(publicKey)?.role).toBe('integrated')
    expect(await admission.members.retire(publicKey)).toBeUndefined()
  })
})

describe('an invite', () => {
  it('gives its groups, and the time offline after which the membership ends', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    const invite = await admission.invite({ role: 'integrated', groups: ['web', 'db'], ephemeralMs: 60_000, uses: 2 })
    const wish = network.wish({ name: 'ci', invite })
    await admission.join(wish)
    const member = replica.state.memberByName('ci')
    expect(member).toMatchObject({ groups: ['db', 'web'], ephemeralMs: 60_000 })
    await admission.members.end(member?.publicKey ?? new Uint8Array(), 'offline')
    await admission.join(wish)
    expect(replica.state.memberByName('ci')?.publicKey).toEqual(member?.publicKey)
  })

  it('does not let in again whose membership by it was ended', async () => {
    await using network = await RealNetwork.create()
    const { admission, replica } = network.root
    const invite = await admission.invite({ role: 'integrated', uses: 2 })
    const wish = network.wish({ name: 'ann', invite })
    await admission.join(wish)
    await admission.members.end(replica.state.memberByName('ann')?.publicKey ?? new Uint8Array(), 'let go')
    await expect(admission.join(wish)).rejects.toMatchObject({ name: 'InviteUsedError' })
    await admission.join(network.wish({ name: 'ann', invite }))
  })
})
