import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { statuses } from '../../../../src/protocols/engine/status.ts'
import { PendingError } from '../../../../src/runtime/errors.ts'
import { ceilingMs } from '../../../helpers/ceiling.ts'
import {
  client,
  failure,
  instance,
  joinOf,
  nextEvent,
  served,
  stopServed,
  untilState
} from '../../../helpers/hosts/sessions.ts'
import { withoutSockets } from '../../../helpers/hosts.ts'

withoutSockets()

afterEach(stopServed)

describe('register', () => {
  it('gives a member its lease and what it needs to go on', async () => {
    const root = await served()
    const { key, session, inbound } = await client(root, 'alpha', 'integrated')
    const record = root.network.record(key, 1)
    const answer = await session.register({ record, instance: instance() })
    expect(answer.admit).toEqual(root.registry.replica.state.member(key.publicKey)?.admit.bytes)
    expect(answer.leaseMs).toBe(90_000)
    expect(answer.heartbeatMs).toBe(30_000)
    expect(answer.record).toEqual(record)
    expect(answer.peers).toEqual([record])
    expect(answer.checkpoint).toEqual(root.registry.replica.checkpoint?.bytes)
    expect(answer.replicaAgeMs).toBe(7)
    expect(multiaddr(answer.observed ?? new Uint8Array()).toString()).toBe(
      inbound.remoteAddr.decapsulateCode(421).toString()
    )
    expect(root.registry.liveness.view(key.publicKey).state).toBe('online')
    expect(root.service.sessions).toBe(1)
  })

  it('renews the lease by heartbeats, and tells of newer heads both ways', async () => {
    const root = await served()
    const { key, session } = await client(root, 'alpha', 'integrated')
    await session.register({ record: root.network.record(key, 1), instance: instance() })
    root.registry.replica.catchUp()
    const newer = root.network.checkpoint({ timeMs: Date.now() + 5_000 })
    root.registry.replica.checkpoint = newer
    const answer = await session.heartbeat({ seq: 1, connected: [key.publicKey] })
    expect(answer.checkpoint).toEqual(newer.bytes)
    expect(answer.contested).toBe(false)
    expect(session.rttMs).toBeGreaterThan(0)
    const newest = root.network.checkpoint({ timeMs: Date.now() + 60_000 })
    expect((await session.heartbeat({ seq: 1, checkpoint: newest.bytes })).checkpoint).toBeUndefined()
    expect(root.heads).toEqual([newest.bytes])
  })

  it('refuses an older record with the one that is held, and takes the next seq', async () => {
    const root = await served()
    const { key, session } = await client(root, 'alpha', 'external')
    const held = root.network.record(key, 7)
    await root.registry.records.put(held)
    const own = instance()
    const refused = await failure(session.register({ record: root.network.record(key, 1), instance: own }))
    expect(refused).toMatchObject({ name: 'StaleRecordError', held })
    await session.register({ record: root.network.record(key, 8), instance: own })
    await session.put(root.network.record(key, 9))
    expect(root.registry.records.get(key.publicKey)?.seq).toBe(9)
  })

  it('lets a joiner in, and its connection is a member’s from then on', async () => {
    const root = await served()
    const { key, session, inbound } = await client(root, 'gamma')
    const record = root.network.record(key, 1)
    const refused = await failure(session.register({ record, instance: instance() }))
    expect(refused).toMatchObject({ name: 'NotMemberError' })
    const answer = await session.register({ record, instance: instance(), join: joinOf(root, key, 'gamma') })
    expect(answer.record).toEqual(record)
    expect(root.trust.memberOf(inbound)).toMatchObject({ name: 'gamma', role: 'integrated' })
  })

  it('tells a joiner that waits when it is admitted, and another when it is rejected', async () => {
    const root = await served({
      decide: () => {
        throw new PendingError('wait for the operator')
      }
    })
    const call = (peer: Awaited<ReturnType<typeof client>>, name: string) =>
      failure(
        peer.session.register({
          record: root.network.record(peer.key, 1),
          instance: instance(),
          join: joinOf(root, peer.key, name)
        })
      )
    const lucky = await client(root, 'lucky')
    const other = await client(root, 'other')
    expect(await call(lucky, 'lucky')).toMatchObject({ name: 'PendingError' })
    expect(await call(other, 'other')).toMatchObject({ name: 'PendingError' })
    const [yes, no] = [nextEvent(lucky.session, 'admitted'), nextEvent(other.session, 'admitted')]
    const { publicKey } = lucky.key
    const admit = root.network.admit(lucky.key, 'lucky', 'integrated').bytes
    root.registry.replica.catchUp()
    root.registry.events.dispatchEvent(new CustomEvent('admitted', { detail: { publicKey, admit } }))
    const rejected = { publicKey: other.key.publicKey, reason: 'unknown machine' }
    root.registry.events.dispatchEvent(new CustomEvent('rejected', { detail: rejected }))
    expect(await yes).toMatchObject({ status: statuses.OK, admit })
    expect(await no).toMatchObject({ status: statuses.REJECTED })
    expect(root.trust.isMember(lucky.inbound)).toBe(true)
    await lucky.session.register({ record: root.network.record(lucky.key, 1), instance: instance() })
  })

  it('refuses a second process with the same key and tells both', async () => {
    const root = await served()
    const key = SigningKey.generate()
    const first = await client(root, 'twin', 'integrated', key)
    await first.session.register({ record: root.network.record(key, 1), instance: instance() })
    const told = nextEvent(first.session, 'duplicate')
    const second = await client(root, 'twin', 'integrated', key)
    const refused = await failure(
      second.session.register({ record: root.network.record(key, 2), instance: instance() })
    )
    expect(refused).toMatchObject({ name: 'DuplicateInstanceError' })
    await told
    expect((await first.session.heartbeat({ seq: 1 })).contested).toBe(true)
    expect(root.registry.records.get(key.publicKey)?.seq).toBe(1)
  })

  it('lets a newer session of the same process take over, and the end of the older one changes nothing', async () => {
    const root = await served()
    const peer = await client(root, 'alpha', 'integrated')
    const call = { record: root.network.record(peer.key, 1), instance: instance() }
    await peer.session.register(call)
    const again = await peer.open()
    await again.register(call)
    await peer.session.closed
    expect(root.registry.liveness.view(peer.key.publicKey).state).toBe('online')
    expect((await again.heartbeat({ seq: 1 })).leaseMs).toBe(90_000)
  })

  it('works on many requests of a registry at once, each answered by its id', async () => {
    const root = await served({ limits: { register: { requestMs: ceilingMs } } })
    const keys = Array.from({ length: 1_200 }, () => SigningKey.generate())
    for (const [index, key] of keys.entries()) root.network.admit(key, `node-${index}`, 'integrated')
    root.registry.replica.catchUp()
    const { session } = await client(root, 'secondary', 'secondary')
    await root.registry.records.put(root.network.record(keys[7] ?? SigningKey.generate(), 99))
    const outcomes = await Promise.all(keys.map((key) => failure(session.put(root.network.record(key, 1)))))
    expect(outcomes.filter((error) => error !== undefined)).toMatchObject([{ name: 'StaleRecordError' }])
    expect(outcomes[7]).toBeDefined()
    expect(root.registry.records.count()).toBe(1_200)
  })

  it('shows who said goodbye as left, and whose stream was lost as suspect at once', async () => {
    const root = await served()
    const leaver = await client(root, 'leaver', 'integrated')
    await leaver.session.register({ record: root.network.record(leaver.key, 1), instance: instance() })
    await leaver.session.deregister('maintenance', root.network.record(leaver.key, 2, { left: true }))
    expect(await leaver.session.closed).toMatchObject({ status: undefined })
    expect(await untilState(root, leaver.key, 'left')).toContain('maintenance')
    expect(root.registry.records.read(leaver.key.publicKey)?.left).toBe(true)
    const lost = await client(root, 'lost', 'integrated')
    await lost.session.register({ record: root.network.record(lost.key, 1), instance: instance() })
    lost.connection.abort(new Error('killed'))
    await untilState(root, lost.key, 'suspect')
    expect(await lost.session.closed).toBeDefined()
  })
})
