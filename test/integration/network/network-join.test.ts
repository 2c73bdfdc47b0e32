import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { newGrantId } from '../../../src/registry/objects/grant.ts'
import type { Invite } from '../../../src/registry/objects/invite.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually, type Flags, TestNetwork } from '../../helpers/network.ts'
import { leaseAt, memberAt, statesAt } from '../../helpers/network-views.ts'

const inviteOnly = { 'admission.policy': 'invite' }
const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(ceilingMs) })

/** Starts a node with an invite and no other hint of where the network is. */
async function startWith(network: TestNetwork, name: string, invite: Invite, flags: Flags = {}): Promise<TrustNode> {
  const node = network.make(name, { networkId: undefined, ...flags })
  node.invites.use(invite)
  await node.start()
  return node
}

const troubleOf = async (node: TrustNode, name: string): Promise<Error | undefined> => {
  await eventually(
    () => node.network?.trouble?.name === name,
    ceilingMs,
    () => `: ${String(node.network?.trouble)}`
  )
  return node.network?.trouble
}

describe('joining by invite', () => {
  it('needs nothing but the line: no DNS, no address, no pin', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const a = await startWith(network, 'a', await network.invite({ role: 'integrated' }))
    await a.joined(soon())
    expect(leaseAt(a)).toBe('root')
    expect(a.invites.invite).toBeUndefined()
  })

  it('says why the only registry refuses, also while it looks for another one', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const invite = await network.invite({ role: 'integrated' })
    network.node('root').registry.root?.fence('it listens')
    const a = network.make('a', { networkId: undefined })
    a.invites.use(invite)
    const told: (string | undefined)[] = []
    a.events.listen('changed', () => told.push(a.network?.trouble?.name))
    await a.start()
    const looks = (): number => network.logs.filter((line) => line.includes('no registry holds the lease')).length
    await eventually(() => looks() > 1)
    expect(told).toContain('UnavailableError')
    expect(told).not.toContain('NoCandidateError')
    network.node('root').registry.root?.release()
    await a.joined(soon())
    expect(a.network?.trouble).toBeUndefined()
  })

  it('removes the file with the line, and takes the name and role that it says', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const path = await network.inviteFile({ role: 'integrated', name: 'a' })
    const a = network.make('a', { networkId: undefined, 'bootstrap.inviteFile': path })
    await a.start()
    await a.joined(soon())
    expect(() => writeFileSync(path, '', { flag: 'wx' })).not.toThrow()
    expect(memberAt(a, 'a').role).toBe('integrated')
  })

  it('makes no new key where a member has lost its own, except for an invite to take its place', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const lost = await startWith(network, 'a', await network.invite({ role: 'integrated' }))
    await lost.joined(soon())
    await lost.stop()
    rmSync(lost.config.paths.key)
    expect(() => network.make('a')).toThrow(/a[/]node[.]key is not there, but .*invite --replace/)
    const path = await network.inviteFile({ role: 'integrated', replaces: 'a' })
    const again = network.make('a', { 'bootstrap.inviteFile': path })
    await again.start()
    await again.joined(soon())
    expect(again.peerId).not.toBe(lost.peerId)
  })

  it.each([
    ['admission.openMembers', 2, 'PendingError'],
    ['admission.openJoins', '1/1h', 'UnavailableError']
  ])('is open as far as %s of the root says', async (key, value, trouble) => {
    await using network = await TestNetwork.create({ [key]: value, 'admission.policy': 'open' })
    await network.join('a')
    const b = network.make('b', { 'bootstrap.peers': [network.address('root')] })
    await b.start()
    await troubleOf(b, trouble)
  })

  it('says that an invite was used up, and goes on running until a good one is handed over', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const invite = await network.invite({ role: 'integrated' })
    const a = await startWith(network, 'a', invite)
    await a.joined(soon())
    const b = await startWith(network, 'b', invite)
    await troubleOf(b, 'InviteUsedError')
    b.invites.use(await network.invite({ role: 'integrated' }))
    b.retry()
    await b.joined(soon())
    expect(b.network?.trouble).toBeUndefined()
  })

  it('says that an invite has expired', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const invite = await network.invite({ role: 'integrated', ttlMs: 1_000 })
    await eventually(() => Date.now() > invite.grant.notAfterMs)
    await troubleOf(await startWith(network, 'a', invite), 'InviteExpiredError')
  })

  it('says that an invite was forged', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const invite = await network.invite({ role: 'integrated' })
    const grant = { ...invite.grant, id: newGrantId() }
    await troubleOf(await startWith(network, 'a', { ...invite, grant }), 'InviteInvalidError')
  })

  it('says that an invite is for another role', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const invite = await network.invite({ role: 'integrated' })
    await troubleOf(await startWith(network, 'a', invite, { role: 'external' }), 'InviteInvalidError')
  })

  it('finds nobody with an invite of another network, and says what was met instead', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    await using other = await TestNetwork.create(inviteOnly)
    const foreign = await other.invite({ role: 'integrated' })
    const invite = { ...foreign, registries: (await network.invite({ role: 'integrated' })).registries }
    const a = await startWith(network, 'a', invite)
    await eventually(() => a.discoveryFailures.length > 0)
    expect(String(a.discoveryFailures[0]?.error)).toContain('network')
    expect(a.network).toBeUndefined()
  })

  it('refuses to start with a line that was cut off, and changes nothing', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const path = join(network.folder, 'line')
    writeFileSync(path, 'tnet1abcdef', { mode: 0o600 })
    expect(() => network.make('a', { 'bootstrap.inviteFile': path })).toThrow(path)
  })

  it('lets a new machine take the name of an old one over, which is shut out', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const old = await startWith(network, 'a', await network.invite({ role: 'integrated' }))
    await old.joined(soon())
    const invite = await network.invite({ role: 'integrated', name: 'a', replaces: 'a' })
    const fresh = await startWith(network, 'a', invite, { 'paths.data': join(network.folder, 'reinstalled') })
    await fresh.joined(soon())
    expect(fresh.peerId).not.toBe(old.peerId)
    expect(memberAt(network.node('root'), 'a').publicKey).toEqual(fresh.key.publicKey)
    await eventually(() => old.network?.session === undefined && !old.attached.isMember())
  })
})

describe('joining without an invite', () => {
  it('lets everybody in where the policy is open', async () => {
    await using network = await TestNetwork.create()
    const a = await network.join('a')
    expect(statesAt(a)['a']).toBe('online')
  })

  it('gossips with the registry that let it in after a while', async () => {
    await using network = await TestNetwork.create({ 'admission.policy': 'approve' })
    const root = network.node('root')
    const hal = await network.start('hal', { 'bootstrap.peers': [network.address('root')] })
    await eventually(() => root.registry.admission.pending().length === 1)
    // From here on gossip would begin.
    await eventually(async () => {
      const [peer] = await hal.attached.host.peerStore.all()
      return peer?.protocols.some((protocol) => protocol.startsWith('/meshsub/')) === true
    })
    await root.registry.admission.approve('hal')
    await hal.joined(soon())
    await eventually(() => root.attached.mesh === 1 && hal.attached.mesh === 1)
  })

  it('waits until it is approved, and is a member then without a restart', async () => {
    await using network = await TestNetwork.create({ 'admission.policy': 'approve' })
    const a = await network.start('a', { 'bootstrap.peers': [network.address('root')] })
    await troubleOf(a, 'PendingError')
    expect(a.network?.trouble?.message).toBe('the join waits at root, the root, for the word of its operator')
    const { admission } = network.node('root').registry
    expect(admission.pending().map(({ name }) => name)).toEqual(['a'])
    await admission.approve('a')
    // Sooner than it would ask again by itself.
    await a.joined({ signal: AbortSignal.timeout(ceilingMs) })
    expect(a.network?.trouble).toBeUndefined()
  })

  it('waits under the invite policy, too, and is told when it is rejected', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const a = await network.start('a', { 'bootstrap.peers': [network.address('root')] })
    await troubleOf(a, 'PendingError')
    await network.node('root').registry.admission.reject('a', 'not ours')
    await troubleOf(a, 'JoinRejectedError')
    expect(a.isStopping).toBe(false)
    a.invites.use(await network.invite({ role: 'integrated' }))
    a.retry()
    await a.joined(soon())
  })

  it('leaves the waiting list at once when an invite is handed over', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const a = await network.start('a', { 'bootstrap.peers': [network.address('root')] })
    await troubleOf(a, 'PendingError')
    a.invites.use(await network.invite({ role: 'integrated' }))
    a.retry()
    await a.joined(soon())
    expect(network.node('root').registry.admission.pending()).toEqual([])
  })

  it('says that a name is taken', async () => {
    await using network = await TestNetwork.create()
    await network.join('a')
    const twin = await network.start('a', {
      'bootstrap.peers': [network.address('root')],
      'paths.data': join(network.folder, 'twin')
    })
    await troubleOf(twin, 'NameTakenError')
    expect(statesAt(network.node('root'))['a']).toBe('online')
  })
})
