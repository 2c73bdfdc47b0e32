import { describe, expect } from 'vitest'
import { loadKey } from '../../../src/identity/key-file.ts'
import { SigningKey } from '../../../src/identity/keys.ts'
import { dataFiles } from '../../../src/node/config/paths.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { sealEntry } from '../../../src/registry/objects/entry.ts'
import { type Grant, newGrantId } from '../../../src/registry/objects/grant.ts'
import { makeJoin, openJoin } from '../../../src/registry/objects/join.ts'
import { sealReceipt } from '../../../src/registry/objects/receipt.ts'
import { PendingError } from '../../../src/runtime/errors.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { attack, control } from '../attack.ts'

const inviteOnly = { 'admission.policy': 'invite' }
const hour = 3_600_000

/** A secondary that is in the set of registries. */
async function secondaryOf(network: TestNetwork, name = 'second'): Promise<TrustNode> {
  const second = await network.join(name, { role: 'secondary' })
  const { root, replica } = network.node('root').registry
  const { publicKey } = second.key
  if (replica.state.registry(publicKey) === undefined) {
    await root?.append([{ kind: 'registrySet', body: { publicKey, role: 'secondary', removed: false } }])
  }
  await eventually(() => second.registry.replica.state.registry(publicKey) !== undefined)
  return second
}

/** An invite as the root enters it, and the joins of two machines that have it. */
function wishFor(network: TestNetwork, fields: Partial<Grant> = {}) {
  const inviteKey = SigningKey.generate()
  const { publicKey } = inviteKey
  const base = { id: newGrantId(), inviteKey: publicKey, role: 'integrated' as const, groups: [], uses: 1, note: '' }
  const body: Grant = { ...base, notAfterMs: Date.now() + hour, ...fields }
  const { networkId } = network.node('root').registry
  const wishOf = (name: string): Uint8Array =>
    makeJoin({
      networkId,
      key: SigningKey.generate(),
      name,
      role: 'integrated',
      timeMs: Date.now(),
      grant: body,
      inviteKey
    })
  return { body, wish: wishOf('late'), again: wishOf('later') }
}

/** What the root decides about a join that a secondary hands on: asked again while it does not answer. */
const forwarded = async (from: TrustNode, call: { join: Uint8Array; receipt: Uint8Array }): Promise<string> => {
  let answer = ''
  await eventually(async () => {
    const session = from.network?.session?.session
    answer =
      (await session?.forwardJoin(call).then(
        () => 'let in',
        (error: Error) => error.name
      )) ?? ''
    return !['', 'DeadlineError', 'UnavailableError'].includes(answer)
  })
  return answer
}

// Each has a network of its own, and waits most of the time.
describe.concurrent('a use of an invite', () => {
  attack('a secondary dates its receipt back to before the end of an invite that ended 23 h ago', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const second = await secondaryOf(network)
    const { root } = network.node('root').registry
    const { body, wish } = wishFor(network, { notAfterMs: Date.now() - 23 * hour })
    await root?.append([{ kind: 'grant', body }], { byOperator: true })
    const joinHash = openJoin(wish, second.registry.networkId).hash
    const value = { networkId: second.registry.networkId, joinHash, timeMs: body.notAfterMs - 1 }
    const receipt = sealReceipt(value, second.key).bytes
    const answer = await forwarded(second, { join: wish, receipt })
    expect(answer).toBe('InviteExpiredError')
    expect(network.node('root').registry.replica.state.memberByName('late')).toBeUndefined()
    return {
      happened: `a receipt of 23 h ago by a secondary that was connected: ${answer}`,
      held: 'a receipt counts for a time in which the root could not be asked, as the root itself saw it'
    }
  })

  attack(
    'a secondary stays away from the root until an invite has ended, and dates its receipt into that time',
    async () => {
      await using network = await TestNetwork.create(inviteOnly)
      const second = await secondaryOf(network)
      const hal = network.make('hal', { 'bootstrap.peers': [network.address('root')] })
      hal.invites.use(await network.invite({ role: 'integrated' }))
      await hal.start()
      await hal.joined({ signal: AbortSignal.timeout(ceilingMs) })
      const root = network.node('root')
      const { body, wish } = wishFor(network, { notAfterMs: Date.now() + 2_000 })
      await root.registry.root?.append([{ kind: 'grant', body }], { byOperator: true })
      await second.stop()
      const isHere = (): boolean => [...root.attached.trust.members()].some(({ member }) => member.name === 'second')
      await eventually(() => !isHere())
      await eventually(() => Date.now() > body.notAfterMs + 60_000)
      const back = await network.start('second', { role: 'secondary', 'bootstrap.peers': [network.address('root')] })
      await back.joined({ signal: AbortSignal.timeout(ceilingMs) })
      const { networkId } = back.registry
      const value = { networkId, joinHash: openJoin(wish, networkId).hash, timeMs: body.notAfterMs - 1 }
      const answer = await forwarded(back, { join: wish, receipt: sealReceipt(value, back.key).bytes })
      expect(answer).toBe('InviteExpiredError')
      return {
        happened: `a secondary was away for a minute, the root and another member were not: ${answer}`,
        held: 'a receipt counts for a time in which the root did not run, or was connected to nobody'
      }
    }
  )

  control('that ended while the root was away counts by the receipt of the secondary', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const second = await secondaryOf(network)
    // On a busy machine the root takes seconds to stop; another test of this file waits for longer beside it.
    const invite = await network.invite({ role: 'integrated', ttlMs: 45_000 })
    await eventually(() => second.registry.replica.state.grant(invite.grant.id) !== undefined)
    await network.node('root').stop()
    const { networkId } = invite
    const wish = {
      networkId,
      key: SigningKey.generate(),
      name: 'late',
      role: 'integrated' as const,
      timeMs: Date.now()
    }
    const { grant, inviteKey } = invite
    const join = second.registry.admission.join({ join: makeJoin({ ...wish, grant, inviteKey }) })
    await expect(join).rejects.toThrow(PendingError)
    await eventually(() => Date.now() > invite.grant.notAfterMs)
    await network.start('root', { role: 'root' })
    await eventually(() => second.registry.replica.state.memberByName('late') !== undefined)
  })

  attack('one use of an invite, asked for at two secondaries while the root is away', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const seconds = [await secondaryOf(network, 'one'), await secondaryOf(network, 'two')]
    const { body, wish, again } = wishFor(network)
    await network.node('root').registry.root?.append([{ kind: 'grant', body }], { byOperator: true })
    await eventually(() => seconds.every(({ registry }) => registry.replica.state.grant(body.id) !== undefined))
    await network.node('root').stop()
    const wishes = [wish, again]
    for (const [index, { registry }] of seconds.entries()) {
      await expect(registry.admission.join({ join: wishes[index] ?? wish })).rejects.toThrow(PendingError)
    }
    const root = await network.start('root', { role: 'root' })
    await eventually(() => seconds.every(({ registry }) => registry.admission.queued === 0))
    const { state } = root.registry.replica
    const names = ['late', 'later'].filter((name) => state.memberByName(name) !== undefined)
    expect(names).toHaveLength(1)
    return {
      happened: `2 joins queued at 2 secondaries with the same invite: ${names.length} admitted, the other refused`,
      held: 'each use is an entry, and everybody counts them'
    }
  })

  control('of two uses lets both in, who asked at two secondaries while the root was away', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const seconds = [await secondaryOf(network, 'one'), await secondaryOf(network, 'two')]
    const { body, wish, again } = wishFor(network, { uses: 2 })
    await network.node('root').registry.root?.append([{ kind: 'grant', body }], { byOperator: true })
    await eventually(() => seconds.every(({ registry }) => registry.replica.state.grant(body.id) !== undefined))
    await network.node('root').stop()
    const wishes = [wish, again]
    for (const [index, { registry }] of seconds.entries()) {
      await expect(registry.admission.join({ join: wishes[index] ?? wish })).rejects.toThrow(PendingError)
    }
    const root = await network.start('root', { role: 'root' })
    const isIn = (name: string): boolean => root.registry.replica.state.memberByName(name) !== undefined
    await eventually(() => isIn('late') && isIn('later'))
  })

  attack('that was taken back, used by a join that waits in the queue of a secondary', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const second = await secondaryOf(network)
    const { body, wish } = wishFor(network)
    await network.node('root').registry.root?.append([{ kind: 'grant', body }], { byOperator: true })
    await eventually(() => second.registry.replica.state.grant(body.id) !== undefined)
    second.registry.admission.forward = undefined
    await expect(second.registry.admission.join({ join: wish })).rejects.toThrow(PendingError)
    const told: string[] = []
    second.registry.events.addEventListener('rejected', ({ detail }) => told.push(detail.reason))
    await network.node('root').registry.admission.cancelInvite(Buffer.from(body.id).toString('hex'), 'lost')
    second.registry.admission.forward = async (request) => {
      if (request.kind !== 'join') throw new Error('only joins wait here')
      const session = second.network?.session?.session
      if (session === undefined) throw new Error('there is no session with the root')
      return { entry: await session.forwardJoin(request) }
    }
    await eventually(async () => {
      await second.registry.admission.replayQueue()
      return second.registry.admission.queued === 0
    })
    expect(network.node('root').registry.replica.state.memberByName('late')).toBeUndefined()
    return {
      happened: `the queued join is dropped: ${told.join() || 'refused'}; 0 admitted`,
      held: 'the root decides by the log as it is when the join arrives, and no copy of an invite travels with it'
    }
  })

  attack('admissions beyond the uses of an invite, entered and signed by the root itself', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const hal = await secondaryOf(network, 'hal')
    const root = network.node('root')
    const { body, wish, again } = wishFor(network)
    await root.registry.root?.append([{ kind: 'grant', body }], { byOperator: true })
    await eventually(() => hal.registry.replica.state.grant(body.id) !== undefined)
    const logKey = loadKey(dataFiles(root.config.paths.data).logKey)
    const { networkId, head } = root.registry.replica
    let place = { n: head.n, hash: head.hash }
    const entries = [wish, again].map((join) => {
      const { publicKey, name, role } = openJoin(join, networkId).value
      const admit = {
        publicKey,
        name,
        role,
        notAfterMs: Date.now() + hour,
        via: 'invite' as const,
        grantId: body.id,
        join
      }
      const position = { networkId, n: place.n + 1, prevHash: place.hash, epoch: 0, timeMs: Date.now() }
      const entry = sealEntry({ ...position, kind: 'admit', body: admit }, logKey)
      place = { n: place.n + 1, hash: entry.hash }
      return entry.bytes
    })
    const before = hal.registry.replica.head.n
    await expect(hal.registry.replica.apply(entries)).rejects.toThrow('breaks a rule of the log')
    expect(hal.registry.replica.head.n).toBe(before)
    await hal.registry.replica.apply(entries.slice(0, 1))
    expect(hal.registry.replica.head.n).toBe(before + 1)
    return {
      happened: '2 well signed admissions by an invite of one use: a replica takes one and refuses the other',
      held: 'uses are counted from the log by every replica'
    }
  })

  control('of two uses is used twice in the same way, and replicas take it', async () => {
    await using network = await TestNetwork.create(inviteOnly)
    const hal = await secondaryOf(network, 'hal')
    const { body, wish, again } = wishFor(network, { uses: 2 })
    await network.node('root').registry.root?.append([{ kind: 'grant', body }], { byOperator: true })
    for (const join of [wish, again]) await network.node('root').registry.admission.join({ join })
    await eventually(() => hal.registry.replica.state.memberByName('later') !== undefined)
  })
})
