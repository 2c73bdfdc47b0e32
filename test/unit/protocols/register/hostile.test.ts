import { afterEach, describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { RateLimitedError } from '../../../../src/protocols/engine/errors.ts'
import { FrameStream } from '../../../../src/protocols/engine/frames.ts'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { retryAfterMsOf, statuses } from '../../../../src/protocols/engine/status.ts'
import { openRegisterSession } from '../../../../src/protocols/register/index.ts'
import { SessionFrame } from '../../../../src/protocols/register/pb/register.ts'
import {
  client,
  failure,
  instance,
  joinOf,
  plainHost,
  protocol,
  rawSession,
  served,
  stopServed,
  untilState
} from '../../../helpers/hosts/sessions.ts'
import { connect, withoutSockets } from '../../../helpers/hosts.ts'
import { aGrant, keyOf } from '../../../helpers/signed-objects.ts'

withoutSockets()

afterEach(stopServed)

describe('register against hostile and broken peers', () => {
  it('refuses the join of another key, and counts failed proofs per /64', async () => {
    const root = await served({ limits: { register: { failedProofs: { count: 1, perMs: 3_600_000 } } } })
    const thief = await client(root, 'thief')
    const victim = SigningKey.generate()
    const call = {
      record: root.network.record(thief.key, 1),
      instance: instance(),
      join: joinOf(root, victim, 'victim')
    }
    expect(await failure(thief.session.register(call))).toMatchObject({ name: 'InvalidPayloadError' })
    const honest = await client(root, 'honest')
    const join = {
      record: root.network.record(honest.key, 1),
      instance: instance(),
      join: joinOf(root, honest.key, 'honest')
    }
    const limited = await failure(honest.session.register(join))
    expect(limited).toBeInstanceOf(RateLimitedError)
    expect(retryAfterMsOf(limited)).toBeGreaterThan(50_000)
  })

  it('lets strangers do nothing but join, members speak for themselves, and registries for others', async () => {
    const root = await served()
    const subject = SigningKey.generate()
    root.network.admit(subject, 'subject', 'integrated')
    root.registry.replica.catchUp()
    const record = root.network.record(subject, 1)
    const forward = { join: joinOf(root, SigningKey.generate(), 'forwarded') }
    const stranger = await client(root, 'stranger')
    const notMember = { name: 'NotMemberError' }
    expect(await failure(stranger.session.put(record))).toMatchObject(notMember)
    expect(await failure(stranger.session.heartbeat({ seq: 1 }))).toMatchObject(notMember)
    expect(await failure(stranger.session.forwardJoin(forward))).toMatchObject(notMember)
    expect(await failure(stranger.session.deregister('bye'))).toMatchObject(notMember)
    const external = await client(root, 'external', 'external')
    expect(await failure(external.session.put(record))).toMatchObject({ name: 'InvalidPayloadError' })
    expect(await failure(external.session.forwardJoin(forward))).toMatchObject(notMember)
    const secondary = await client(root, 'secondary', 'secondary')
    await secondary.session.put(record)
    expect(root.registry.records.get(subject.publicKey)?.seq).toBe(1)
    expect(await secondary.session.forwardJoin(forward)).toEqual(root.network.entries.at(-1)?.bytes)
  })

  it('tells a registry in time that the record is of no member', async () => {
    const root = await served({ limits: { register: { applyMs: 100 } } })
    const { session } = await client(root, 'secondary', 'secondary')
    const late = SigningKey.generate()
    expect(await failure(session.put(root.network.record(late, 1)))).toMatchObject({ name: 'NotMemberError' })
  })

  it('says of no member that it is none because the registry is slow', async () => {
    const root = await served({ limits: { register: { applyMs: 1 } } })
    const { key, session } = await client(root, 'secondary', 'secondary')
    const records = Array.from({ length: 200 }, (_, index) => root.network.record(key, index + 1))
    const failures = await Promise.all(records.map((record) => session.put(record).then(() => '', String)))
    expect(failures.filter((text) => text !== '' && !text.includes('STALE'))).toEqual([])
  })

  it('says of nobody that it is no member when it has forgotten its connections: it stops', async () => {
    const root = await served()
    const { key, session } = await client(root, 'secondary', 'secondary')
    const joiner = SigningKey.generate()
    root.trust.clear()
    const record = root.network.record(key, 1)
    const calls = [
      session.register({ record, instance: instance() }),
      session.heartbeat({ seq: 1 }),
      session.put(record),
      session.renew(Uint8Array.of(1)),
      session.forget(Uint8Array.of(1)),
      session.rotate({ proofOld: Uint8Array.of(1), proofNew: Uint8Array.of(1) }),
      session.forwardJoin({ join: joinOf(root, joiner, 'joiner') }),
      session.handOver(Uint8Array.of(1)),
      session.deregister('bye')
    ]
    for (const call of calls) expect(await failure(call)).toMatchObject({ name: 'UnavailableError' })
  })

  it('limits registrations, heartbeats and records of one peer', async () => {
    const root = await served()
    const { key, session } = await client(root, 'alpha', 'integrated')
    const call = { record: root.network.record(key, 1), instance: instance() }
    await session.register(call)
    await session.register(call)
    const limited = { name: 'RateLimitedError' }
    expect(await failure(session.register(call))).toMatchObject(limited)
    await session.heartbeat({ seq: 1 })
    await session.heartbeat({ seq: 1 })
    expect(await failure(session.heartbeat({ seq: 1 }))).toMatchObject(limited)
    for (let seq = 2; seq < 6; seq++) await session.put(root.network.record(key, seq))
    expect(await failure(session.put(root.network.record(key, 6)))).toMatchObject(limited)
    expect(root.registry.records.get(key.publicKey)?.seq).toBe(5)
  })

  it('limits first joins of strangers, all together', async () => {
    const root = await served({ limits: { register: { strangerJoins: { count: 1, perMs: 3_600_000 } } } })
    const call = (peer: Awaited<ReturnType<typeof client>>, name: string) =>
      peer.session.register({
        record: root.network.record(peer.key, 1),
        instance: instance(),
        join: joinOf(root, peer.key, name)
      })
    await call(await client(root, 'first'), 'first')
    expect(await failure(call(await client(root, 'second'), 'second'))).toMatchObject({ name: 'RateLimitedError' })
  })

  it('keeps a part of the first joins for those with an invite', async () => {
    const perMs = 60_000
    const register = { strangerJoins: { count: 3, perMs }, uninvitedJoins: { count: 1, perMs } }
    const root = await served({ limits: { register } })
    const invite = { grant: aGrant, inviteKey: keyOf(7) }
    root.network.append({ kind: 'grant', body: { ...aGrant, uses: 3 } })
    root.registry.replica.catchUp()
    const ask = async (name: string, given?: typeof invite) => {
      const { key, session } = await client(root, name)
      const join = joinOf(root, key, name, given)
      return await failure(session.register({ record: root.network.record(key, 1), instance: instance(), join }))
    }
    expect(await ask('first')).not.toBeInstanceOf(Error)
    for (const name of ['second', 'third']) expect(await ask(name)).toBeInstanceOf(RateLimitedError)
    for (const name of ['fourth', 'fifth']) expect(await ask(name, invite)).not.toBeInstanceOf(Error)
    expect(await ask('sixth', invite)).toBeInstanceOf(RateLimitedError)
  })

  it('shows a node that answers no pings as suspect', async () => {
    const root = await served({ limits: { register: { pingMs: 30, pongMs: 50 } } })
    const { key, connection } = await client(root, 'frozen', 'integrated')
    const { frames, ask } = await rawSession(connection)
    const record = root.network.record(key, 1)
    await ask({ id: 1, register: { record, instance: instance(), join: new Uint8Array() } })
    expect(await untilState(root, key, 'suspect')).toContain('ping')
    frames.abort(new Error('done'))
  })

  it('notices itself that the registry fell silent, after asking once', async () => {
    const limits = limitsWith({ register: { pingMs: 50, pingMaxMs: 50, pongMs: 50 } })
    const mute = await plainHost()
    const host = await plainHost()
    const asked = Promise.withResolvers<SessionFrame>()
    await mute.handle(protocol, async (stream) => {
      for await (const bytes of new FrameStream(stream, { maxFrame: 4096, limits: limits.stream })) {
        asked.resolve(SessionFrame.decode(bytes))
      }
    })
    const session = await openRegisterSession(await connect(host, mute), { limits })
    expect((await asked.promise).ping).toBeDefined()
    expect((await session.closed).reason).toContain('said nothing')
  })

  it('answers a request that it does not know, ignores unknown fields, and ends the session of garbage', async () => {
    const root = await served()
    const { connection, key } = await client(root, 'alpha', 'integrated')
    const { frames, ask, send } = await rawSession(connection)
    // Field 99, of a newer version.
    const unknown = Uint8Array.of(0x9a, 0x06, 0x01, 0x01)
    send(Buffer.concat([SessionFrame.encode({ id: 5 }), unknown]))
    expect((await ask()).answer?.status).toBe(statuses.UNSUPPORTED_VERSION)
    send(Buffer.concat([SessionFrame.encode({ id: 6, put: { record: root.network.record(key, 1) } }), unknown]))
    expect(await ask()).toMatchObject({ id: 6, answer: { status: statuses.OK } })
    send(Uint8Array.of(0xff, 0xff, 0xff))
    expect(await ask()).toMatchObject({ id: 0, answer: { status: statuses.MALFORMED } })
    expect(await frames.read()).toBeUndefined()
    expect(connection.status).toBe('open')
  })

  it('resets a session whose frame is too large, and one that asks nothing', async () => {
    const root = await served({ limits: { register: { requestMs: 100 } } })
    const { connection } = await client(root, 'alpha', 'integrated')
    const large = await rawSession(connection)
    large.send(new Uint8Array(5_000).fill(1))
    expect(await large.frames.closed).toBeDefined()
    const idle = await rawSession(connection)
    await idle.frames.read().catch(() => undefined)
    await idle.frames.close()
    expect(connection.status).toBe('open')
    expect(root.service.sessions).toBe(0)
  })
})
