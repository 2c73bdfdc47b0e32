import { rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { memberAddress } from '../../../src/address/multiaddr.ts'
import { SigningKey } from '../../../src/identity/keys.ts'
import { connectionTo } from '../../../src/node/actions/connect.ts'
import type { ControlEvent } from '../../../src/node/api/control-api.ts'
import { dataFiles } from '../../../src/node/config/paths.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { expectSchema } from '../../helpers/schemas.ts'

const isHealthy = async ({ control }: TrustNode): Promise<boolean> => (await control.status()).word === 'healthy'

const failure = async (call: Promise<unknown>): Promise<string> =>
  await call.then(
    () => 'no error',
    (error: Error) => `${error.name}: ${error.message}`
  )

/** The first event that fits. */
async function firstEvent(node: TrustNode, fits: (event: ControlEvent) => boolean): Promise<ControlEvent> {
  for await (const event of node.control.events({ signal: AbortSignal.timeout(ceilingMs) }))
    if (fits(event)) return event
  throw new Error('no such event within 10 s')
}

describe('the control api', () => {
  it('answers every question of a small network as the schemas say', async () => {
    await using network = await TestNetwork.create()
    const node = await network.join('hal')
    const root = network.node('root')
    await eventually(async () => (await isHealthy(node)) && (await isHealthy(root)))
    for (const { control } of [node, root]) {
      expectSchema('status', await control.status())
      expectSchema('peers', await control.peers())
      expectSchema('lookup', await control.lookup({}))
      expectSchema('identity', await control.identity())
      expectSchema('registry-status', await control.registryStatus())
      expectSchema('registry-nodes', await control.registryNodes())
      expectSchema('registry-log', await control.log({}))
      expectSchema('registry-pending', await control.pending())
      for (const peer of ['hal', 'root']) expectSchema('why', await control.why({ peer }))
    }
    // On a busy machine connections, subscriptions and hints come one after the other.
    await expect
      .poll(async () => await node.control.status(), { timeout: ceilingMs })
      .toMatchObject({
        summary: '2 of 2 members online',
        self: { name: 'hal', role: 'integrated' },
        membership: { state: 'member' },
        registry: { lease: { name: 'root' }, known: 1, connected: 1 },
        sync: { source: { name: 'root' }, members: 2, records: 2, message: 'changes are pushed by root' },
        connections: { members: 1, strangers: 0 },
        resilience: { root: { survives: false }, dns: { survives: true }, both: { survives: false } }
      })
    const { registry } = await node.control.status()
    expect(registry.expiresMs).toBeGreaterThan(Date.now())
  })

  it('finds over the wire what the registry that holds the lease sees', async () => {
    await using network = await TestNetwork.create()
    const node = await network.join('hal')
    const view = await node.control.lookup({ remote: true })
    expectSchema('lookup', view)
    expect(view.view.name).toBe('root')
    expect(new Set(view.rows.map(({ name }) => name))).toEqual(new Set(['root', 'hal']))
    expect((await node.control.lookup({ peer: 'hal', remote: true })).rows).toMatchObject([{ self: true, name: 'hal' }])
    expect((await node.control.lookup({ peer: 'nobody', remote: true })).rows).toEqual([])
    const alone = network.node('root').control.lookup({ remote: true })
    expect(await failure(alone)).toMatch(/^UnavailableError: this process is the root/)
  })

  it('tells and computes addresses, for members and for whole PeerIds', async () => {
    await using network = await TestNetwork.create()
    const { control, registry, key, peerId } = network.node('root')
    const own = await control.address()
    expectSchema('address', own)
    expect(own.address).toBe(memberAddress(registry.networkId, key.publicKey))
    expect((await control.address({ peer: peerId })).address).toBe(own.address)
    expect(await failure(control.address({ peer: 'nobody' }))).toMatch(/^NotFoundError/)
  })

  it('connects by multiaddr, says who answered, and disconnects', async () => {
    await using network = await TestNetwork.create()
    const [a, b] = await Promise.all([network.join('a'), network.join('b')])
    const view = await a.control.connect({ multiaddr: network.address('b') })
    expectSchema('connect', view)
    expect(view).toMatchObject({ name: 'b', member: true })
    const bare = await a.control.connect({ multiaddr: network.address('b').replace(/\/p2p.*/, '') })
    expect(bare.peerId).toBe(b.peerId)
    const closed = await a.control.disconnect({ peer: b.peerId.slice(-8) })
    expectSchema('disconnect', closed)
    expect(closed).toMatchObject({ name: 'b' })
    expect(closed.closed).toBeGreaterThan(0)
    expect(await failure(a.control.connect({ multiaddr: '/ip4/127.0.0.1/tcp/1' }))).toMatch(/^InvalidPayloadError/)
    expect(await failure(a.control.connect({ multiaddr: '/ip6/::1/tcp/1' }))).toMatch(/^UnavailableError/)
    expect(await failure(a.control.connect({ multiaddr: network.address('a') }))).toMatch(/this node itself/)
    expect(await failure(a.control.disconnect({ peer: 'nobody' }))).toMatch(/^NotFoundError/)
  })

  it('refuses a host of another network by name', async () => {
    await using network = await TestNetwork.create()
    await using other = await TestNetwork.create()
    const call = network.node('root').control.connect({ multiaddr: other.address('root') })
    expect(await failure(call)).toMatch(/^WrongNetworkError/)
  })

  it('invites, lets in who comes with the line, and says at another node who the root is', async () => {
    await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
    const root = network.node('root')
    const invite = await root.control.invite({ name: 'hal', role: 'integrated' })
    expectSchema('invite', invite)
    // It knows where the root is, has no invite, and waits for the operator's word.
    const hal = await network.start('hal', { 'bootstrap.peers': [network.address('root')] })
    await eventually(async () => (await hal.control.status()).word === 'pending')
    const waiting = await hal.control.status()
    expectSchema('status', waiting)
    expect(waiting.warnings).toMatchObject([
      { code: 'not_admitted', fix: 'trustnet registry approve hal (at the root)' }
    ])
    const joined = await hal.control.join({ line: invite.line })
    expectSchema('join', joined)
    expect(joined.state).toBe('admitted')
    expect((await hal.control.join({ line: invite.line })).message).toContain('is a member already')
    expect(await failure(hal.control.invite({}))).toMatch(/^NotRootError: only the root can do that: .*root \(12D3/)
    const last = (await root.control.log({})).entries.at(-1)
    expect(last).toMatchObject({ kind: 'admit', subject: { name: 'hal' } })
    expect(last?.detail).toContain(`by invite ${invite.id.slice(0, 12)}`)
  })

  it('does not take an invite of another network, another name or another role', async () => {
    await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
    await using other = await TestNetwork.create()
    const root = network.node('root')
    const hal = await network.start('hal', { 'bootstrap.peers': [network.address('root')] })
    const foreign = await other.node('root').control.invite({})
    expect(await failure(hal.control.join({ line: foreign.line }))).toMatch(
      /^WrongNetworkError: this node belongs to tn/
    )
    const named = await root.control.invite({ name: 'other' })
    expect(await failure(hal.control.join({ line: named.line }))).toMatch(/^InviteInvalidError: .*for the name other/)
    const secondary = await root.control.invite({ role: 'secondary' })
    expect(await failure(hal.control.join({ line: secondary.line }))).toMatch(/^InviteInvalidError: .*role secondary/)
    expect(await failure(hal.control.join({ line: 'tnet1garbage' }))).toMatch(/^InviteInvalidError/)
  })

  it('shows who waits, and approves or turns away by the end of a PeerId', async () => {
    await using network = await TestNetwork.create({ 'admission.policy': 'approve' })
    const root = network.node('root')
    const flags = { 'bootstrap.peers': [network.address('root')] }
    const told = firstEvent(root, ({ type }) => type === 'pending')
    const hal = await network.start('hal', flags)
    expect(await told).toMatchObject({ type: 'pending', peerId: hal.peerId })
    await eventually(async () => (await hal.control.status()).word === 'pending')
    const pending = await root.control.pending()
    expectSchema('registry-pending', pending)
    expect(pending.pending).toMatchObject([{ name: 'hal', peerId: hal.peerId, waitsFor: 'approve', withInvite: false }])
    const why = await root.control.why({ peer: 'hal' })
    expectSchema('why', why)
    expect(why.next).toBe('trustnet registry approve hal')
    expect((await root.control.status()).warnings).toContainEqual(expect.objectContaining({ code: 'pending_joins' }))
    const done = await root.control.approve({ peer: hal.peerId.slice(-8) })
    expectSchema('change', done)
    expect(done).toMatchObject({ name: 'hal', message: 'is a member now, as integrated' })
    await hal.joined({ signal: AbortSignal.timeout(ceilingMs) })

    expect(await root.control.invite({ name: 'ha1' })).toMatchObject({ looksLike: ['hal'], registries: 1 })
    expect(await root.control.invite({ name: 'eve' })).toMatchObject({ looksLike: [] })
    await network.start('ha1', flags)
    await eventually(async () => (await root.control.pending()).pending.length === 1)
    expect((await root.control.pending()).pending).toMatchObject([{ name: 'ha1', looksLike: ['hal'] }])
    const alike = await root.control.approve({ peer: 'ha1' })
    expect(alike.message).toBe('is a member now, as integrated; its name looks like that of hal')

    const bob = await network.start('bob', flags)
    await eventually(async () => (await root.control.pending()).pending.length === 1)
    const plan = await root.control.reject({ peer: 'bob', reason: '', plan: true })
    expect(plan).toMatchObject({ name: 'bob', entry: null })
    expect(await root.control.rejectAll({ reason: '', plan: true })).toMatchObject({ rejected: 1 })
    expect((await root.control.pending()).pending).toHaveLength(1)
    const rejected = await root.control.reject({ peer: 'bob', reason: 'unknown machine' })
    expectSchema('change', rejected)
    expect(rejected).toMatchObject({ name: 'bob', peerId: bob.peerId, entry: null })
    await eventually(async () => (await bob.control.status()).word === 'refused')
    expect(await failure(root.control.approve({ peer: 'bob' }))).toMatch(/^NotFoundError/)
    expect(await failure(hal.control.approve({ peer: 'bob' }))).toMatch(/^NotRootError/)
  })

  it('revokes by name and says so afterwards', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    const hal = await network.join('hal')
    const plan = await root.control.revoke({ peer: 'hal', reason: 'stolen', plan: true })
    expect(plan).toMatchObject({ name: 'hal', entry: null, message: expect.stringContaining('would be shut out') })
    await expect(root.control.revoke({ peer: 'root', reason: '', plan: true })).rejects.toThrow('promote a secondary')
    const done = await root.control.revoke({ peer: 'hal', reason: 'stolen' })
    expectSchema('change', done)
    expect(done).toMatchObject({ name: 'hal', message: 'is revoked: its key is shut out for ever' })
    expect(done.entry).toBeGreaterThan(0)
    expect((await root.control.peers()).peers.map(({ name }) => name)).toEqual(['root'])
    const why = await root.control.why({ peer: hal.peerId })
    expectSchema('why', why)
    expect(why).toMatchObject({ name: 'hal', summary: expect.stringContaining('stolen') })
    expect((await root.control.why({ peer: 'hal' })).summary).toBe(why.summary)
    const named = await failure(root.control.changeMember({ peer: 'hal', name: 'hal-2' }))
    expect(named).toMatch(/^NotFoundError: hal is no member any more: its key 12D3\w+ was revoked/)
    expect((await root.control.revoke({ peer: hal.peerId, reason: 'again' })).message).toBe('was revoked before')
    await eventually(async () => !(await isHealthy(hal)))
    const status = await hal.control.status()
    expectSchema('status', status)
  })

  it('leaves: the others see it, and the process ends after its answer', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    const [hal, bob] = await Promise.all([network.join('hal'), network.join('bob')])
    const left = await hal.control.leave({ forget: false, reason: 'moving' })
    expectSchema('change', left)
    await hal.stopped
    expect((await hal.control.status()).word).toBe('stopping')
    expect(await failure(hal.control.why({ peer: 'bob' }))).toMatch(/^UnavailableError: this process stops/)
    // The reason comes through also where the record that says so is there before the word of its registry.
    for (const one of [root, bob])
      await eventually(async () =>
        /^hal left .* ago: moving; it is/.test((await one.control.why({ peer: 'hal' })).summary)
      )
    const why = await root.control.why({ peer: 'hal' })
    expect(why.checks.find(({ what }) => what === 'state')?.ok).toBeNull()
    const forgotten = await bob.control.leave({ forget: true })
    expect(forgotten.entry).toBeGreaterThan(0)
    await bob.stopped
    expect((await root.control.peers()).peers.map(({ name }) => name)).toEqual(['root', 'hal'])
    expect(await failure(root.control.leave({ forget: false }))).toMatch(/^RefusedError: the root cannot leave/)
  })

  it('warns of the recovery kit until its move is confirmed', async () => {
    await using network = await TestNetwork.create()
    const { control, config } = network.node('root')
    const kit = async () => (await control.status()).warnings.find(({ code }) => code === 'recovery_kit')
    expect(await kit()).toMatchObject({ level: 'warning', acknowledged: false })
    const seen = await control.acknowledge({ code: 'recovery-kit' })
    expectSchema('acknowledge', seen)
    expect(seen.message).toContain('is still here')
    expect(await kit()).toMatchObject({ acknowledged: true })
    const { recoveryKit, nextRecoveryKit, passphrase } = dataFiles(config.paths.data)
    rmSync(passphrase, { force: true })
    rmSync(recoveryKit)
    expect(await kit()).toMatchObject({ acknowledged: true })
    rmSync(nextRecoveryKit)
    expect(await kit()).toBeUndefined()
    expect(await failure(control.acknowledge({ code: 'nonsense' }))).toMatch(/^NotFoundError/)
  })

  it('takes an acknowledged alarm out of the status word', async () => {
    await using network = await TestNetwork.create()
    const { control, registry } = network.node('root')
    registry.alarms.raise('duplicate_key', 'two machines have it')
    const degraded = await control.status()
    expectSchema('status', degraded)
    expect(degraded).toMatchObject({ word: 'degraded', warnings: [{ code: 'duplicate_key', level: 'alarm' }, {}] })
    await control.acknowledge({ code: 'duplicate-key' })
    expect((await control.status()).word).toBe('healthy')
  })

  it('answers before the network was found, with what is being tried', async () => {
    await using network = await TestNetwork.create()
    const node = await network.start('hal', { 'bootstrap.peers': ['/ip6/::1/tcp/1'], 'network.pins': [] })
    await eventually(async () => (await node.control.status()).word === 'isolated')
    const status = await node.control.status()
    expectSchema('status', status)
    expect(status).toMatchObject({ network: null, phase: { name: 'bootstrap' }, self: { name: 'hal' } })
    expect(status.warnings).toMatchObject([{ code: 'no_network', message: expect.stringContaining('/ip6/::1/tcp/1') }])
    const peers = await node.control.peers()
    expectSchema('peers', peers)
    expect(peers).toMatchObject({ peers: [], total: 0, network: null })
    expectSchema('identity', await node.control.identity())
    for (const call of [
      node.control.log({}),
      node.control.why({ peer: 'x' }),
      node.control.registryStatus(),
      node.control.leave({ forget: false })
    ]) {
      expect(await failure(call)).toMatch(/^UnavailableError: the network was not found yet/)
    }
  })

  it('opens connections by the name of a member', async () => {
    await using network = await TestNetwork.create()
    const [a, b] = await Promise.all([network.join('a'), network.join('b')])
    await a.control.disconnect({ peer: 'b' })
    const signal = AbortSignal.timeout(ceilingMs)
    await eventually(async () => (await failure(connectionTo(a, 'b', signal))) === 'no error')
    const connection = await connectionTo(a, b.peerId, signal)
    expect(a.trust.memberOf(connection)?.name).toBe('b')
    expect(await failure(connectionTo(a, 'a', signal))).toMatch(/this node itself/)
    const stranger = SigningKey.generate()
    expect(stranger.publicKey).toHaveLength(32)
    expect(await failure(connectionTo(a, 'nobody', signal))).toMatch(/^NotFoundError/)
  })

  it('tells changes as they come, and ends with the signal and with the node', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    const seen = firstEvent(root, (event) => event.type === 'peer' && event.peerId !== root.peerId)
    const head = firstEvent(root, ({ type }) => type === 'head')
    const hal = await network.join('hal')
    expect(await seen).toMatchObject({ peerId: hal.peerId })
    expect(await head).toMatchObject({ epoch: 0 })
    const ended = (async () => {
      for await (const _ of hal.control.events());
      return 'ended'
    })()
    await hal.stop('test')
    expect(await ended).toBe('ended')
    const stop = new AbortController()
    const aborted = (async () => {
      for await (const _ of root.control.events({ signal: stop.signal }));
      return 'ended'
    })()
    stop.abort()
    expect(await aborted).toBe('ended')
  })
})
