import { afterEach, describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { statuses } from '../../../../src/protocols/engine/status.ts'
import { Hello as HelloMessage } from '../../../../src/protocols/hello/pb/hello.ts'
import { proveNetwork } from '../../../../src/protocols/hello/proof.ts'
import { SessionFrame } from '../../../../src/protocols/register/pb/register.ts'
import { sealRenewRequest } from '../../../../src/registry/objects/renew-request.ts'
import {
  client,
  failure,
  instance,
  joinOf,
  protocol,
  rawSession,
  served,
  stopServed
} from '../../../helpers/hosts/sessions.ts'
import { withoutSockets } from '../../../helpers/hosts.ts'
import { TinyNetwork } from '../../../helpers/registry/tiny-network.ts'

withoutSockets()

afterEach(stopServed)

const limited = { name: 'RateLimitedError' }
const none = new Uint8Array()

describe('limits of sessions', () => {
  it('a connection has two session streams, the third is reset', async () => {
    const root = await served()
    const { connection, inbound } = await client(root, 'alpha', 'integrated')
    const second = await rawSession(connection)
    await connection.newStream(protocol).catch(() => {})
    const sessions = () => inbound.streams.filter((stream) => stream.protocol === protocol).length
    await expect.poll(sessions).toBe(2)
    expect([connection.status, second.frames.stream.status]).toEqual(['open', 'open'])
  })

  it('a peer opens four sessions in 10 s; the fifth is told RATE_LIMITED', async () => {
    const root = await served()
    const { connection, session } = await client(root, 'alpha', 'integrated')
    await session.close()
    for (let opened = 1; opened < 4; opened++) {
      const { frames } = await rawSession(connection)
      await frames.close()
      await frames.closed
    }
    const { ask } = await rawSession(connection)
    expect(await ask()).toMatchObject({ id: 0, answer: { status: statuses.RATE_LIMITED } })
  })

  it('a session has so many requests worked on at a time; the others wait unread, and all are answered', async () => {
    const root = await served({ limits: { register: { inFlight: 4 } } })
    const gate = Promise.withResolvers<void>()
    const { admission } = root.registry
    const join = admission.join.bind(admission)
    let asked = 0
    Object.assign(admission, {
      join: async (bundle: Parameters<typeof join>[0]) => {
        asked++
        await gate.promise
        return join(bundle)
      }
    })
    const { connection } = await client(root, 'second', 'secondary')
    const { frames, send, ask } = await rawSession(connection)
    for (let id = 1; id <= 12; id++) {
      const forward = { join: joinOf(root, SigningKey.generate(), `node-${id}`), receipt: none }
      send(SessionFrame.encode({ id, forward }))
    }
    await expect.poll(() => asked).toBe(4)
    gate.resolve()
    const answered = new Set<number>()
    for (let count = 0; count < 12; count++) answered.add((await ask()).id)
    expect([answered.size, asked]).toEqual([12, 12])
    frames.abort(new Error('done'))
  })

  it('a member has eight other requests in 10 s, the ninth is told RATE_LIMITED', async () => {
    const root = await served()
    const { session } = await client(root, 'alpha', 'integrated')
    for (let count = 0; count < 8; count++) {
      expect(await failure(session.forget(none))).toMatchObject({ name: 'NotMemberError' })
    }
    expect(await failure(session.forget(none))).toMatchObject(limited)
  })

  it('a session of frames that ask for nothing ends with RATE_LIMITED, and the connection stays', async () => {
    const root = await served()
    const { connection } = await client(root, 'alpha', 'integrated')
    const { frames, send } = await rawSession(connection)
    for (let id = 1; id <= 400; id++) send(SessionFrame.encode({ id, ping: 1 }))
    const answers: number[] = []
    for await (const bytes of frames) {
      const { id, pong, answer } = SessionFrame.decode(bytes)
      if (pong) answers.push(id)
      else if (answer !== undefined) expect(answer.status).toBe(statuses.RATE_LIMITED)
    }
    expect(answers.length).toBeGreaterThanOrEqual(256)
    expect(answers.length).toBeLessThan(300)
    expect(connection.status).toBe('open')
  })

  it('of the keys in a heartbeat so many count, of the reason of a goodbye so many characters', async () => {
    const root = await served({ limits: { register: { reasonChars: 10, connected: 5 } } })
    const { key, connection } = await client(root, 'alpha', 'integrated')
    const others = Array.from({ length: 40 }, () => SigningKey.generate())
    for (const [index, other] of others.entries()) root.network.admit(other, `node-${index}`, 'integrated')
    root.registry.replica.catchUp()
    // Our own client would send no more.
    const { ask } = await rawSession(connection)
    const record = root.network.record(key, 1)
    await ask({ id: 1, register: { record, instance: instance(), join: none } })
    const connected = others.map(({ publicKey }) => publicKey)
    await ask({ id: 2, heartbeat: { checkpoint: none, cosignatures: [], seq: 1, connected, rttMs: 0 } })
    const view = () => root.registry.liveness.view(key.publicKey)
    expect(view().connected).toHaveLength(5)
    await ask({ id: 3, deregister: { reason: 'x'.repeat(1_000), record: none, moved: false } })
    expect(view()).toMatchObject({ state: 'left', reason: `left: ${'x'.repeat(10)}` })
  })

  it('an instance id of another length is INVALID', async () => {
    const root = await served()
    const { key, session } = await client(root, 'alpha', 'integrated')
    const call = { record: root.network.record(key, 1), instance: new Uint8Array(15) }
    expect(await failure(session.register(call))).toMatchObject({ name: 'InvalidPayloadError' })
  })
})

describe('limits of proofs', () => {
  it('the renewal of no member counts as a failed proof of its /64, and the next one is told RATE_LIMITED', async () => {
    const root = await served({ limits: { register: { failedProofs: { count: 1, perMs: 3_600_000 } } } })
    const { key, session } = await client(root, 'stranger')
    const { networkId } = root.network
    const renew = sealRenewRequest({ networkId, publicKey: key.publicKey, notAfterMs: Date.now() }, key).bytes
    expect(await failure(session.renew(renew))).toMatchObject({ name: 'NotMemberError' })
    expect(await failure(session.renew(renew))).toMatchObject(limited)
  })

  it('of delegations no more are looked at than a network can have', async () => {
    const network = new TinyNetwork()
    const delegations = [network.delegate().bytes, network.delegate().bytes, network.delegate().bytes]
    const message = HelloMessage.decode(
      HelloMessage.encode({
        version: 1,
        networkId: network.networkId,
        genesis: network.genesis.bytes,
        checkpoint: network.checkpoint().bytes,
        delegations
      })
    )
    expect((await proveNetwork(message, 3)).delegations).toHaveLength(3)
    await expect(proveNetwork(message, 2)).rejects.toMatchObject({ name: 'LimitError' })
  })
})
