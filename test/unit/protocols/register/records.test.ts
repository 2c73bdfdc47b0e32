import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { domains } from '../../../../src/registry/objects/envelope.ts'
import { NodeRecord as NodeRecordMessage } from '../../../../src/registry/pb/registry.ts'
import { client, failure, instance, type Served, served, stopServed } from '../../../helpers/hosts/sessions.ts'
import { withoutSockets } from '../../../helpers/hosts.ts'
import { craft, otherNetworkId } from '../../../helpers/signed-objects.ts'

withoutSockets()

const addrOf = (last: number) => Uint8Array.of(0x29, 0x20, 0x01, 0x0d, 0xb8, ...new Uint8Array(11), last, 6, 0x1f, 0x90)

let root: Served
let alpha: Awaited<ReturnType<typeof client>>
let other: SigningKey
beforeEach(async () => {
  root = await served({ limits: { register: { registers: { count: 100, perMs: 1_000 } } } })
  // One that serves no registry: it speaks for itself alone.
  alpha = await client(root, 'alpha', 'external')
  other = SigningKey.generate()
  root.network.admit(other, 'other', 'integrated')
  root.registry.replica.catchUp()
})
afterEach(stopServed)

const crafted = (change: Partial<NodeRecordMessage>, key = alpha.key): Uint8Array => {
  const { networkId } = root.network
  const good = { version: 1, networkId, publicKey: alpha.key.publicKey, seq: 9, addrs: [addrOf(1)], roles: [3] }
  return craft(domains.nodeRecord, NodeRecordMessage, { ...good, ...change }, key)
}

/** What a record is refused with; each is told by its own status. */
const bad: [string, string, () => Uint8Array][] = [
  ["of somebody else's PeerId, signed by its owner", 'InvalidPayloadError', () => root.network.record(other, 9)],
  ["of somebody else's PeerId, signed by the sender", 'Invalid', () => crafted({ publicKey: other.publicKey })],
  ['of the own PeerId, signed by somebody else', 'Invalid', () => crafted({}, other)],
  ['with a signature that is wrong', 'InvalidPayloadError', () => bent(root.network.record(alpha.key, 9))],
  ['of another network', 'WrongNetworkError', () => crafted({ networkId: otherNetworkId })],
  ['of a newer version', 'UnsupportedVersionError', () => crafted({ version: 2 })],
  ['with 9 addresses', 'InvalidPayloadError', () => crafted({ addrs: [1, 2, 3, 4, 5, 6, 7, 8, 9].map(addrOf) })],
  ['with an IPv4 address', 'InvalidPayloadError', () => crafted({ addrs: [Uint8Array.of(4, 192, 0, 2, 1, 6, 0, 1)] })],
  [
    'of more than 1 KiB',
    'InvalidPayloadError',
    () => Buffer.concat([root.network.record(alpha.key, 9), new Uint8Array(1_100)])
  ],
  ['that is none', 'InvalidPayloadError', () => Uint8Array.of(1, 2, 3)],
  ['with an older seq', 'StaleRecordError', () => root.network.record(alpha.key, 4)]
]

const bent = (bytes: Uint8Array): Uint8Array =>
  Uint8Array.from(bytes, (byte, index) => (index === bytes.length - 1 ? byte ^ 1 : byte))

describe('a registry', () => {
  it.each(bad)('refuses a record %s with %s, keeps its own, and serves on', async (_what, name, make) => {
    const { key, session, connection } = alpha
    const held = root.network.record(key, 5)
    await session.register({ record: held, instance: instance() })
    const beta = await client(root, 'beta', 'integrated')
    await beta.session.register({ record: root.network.record(beta.key, 1), instance: instance() })
    const lost = beta.session.closed.then(() => 'lost')

    const refused = await failure(session.put(make()))
    expect(refused).toMatchObject({ name: expect.stringContaining(name) })
    expect(await failure(session.register({ record: make(), instance: instance() }))).toBeInstanceOf(Error)
    expect([...(root.registry.records.get(key.publicKey)?.envelope ?? [])]).toEqual([...held])
    expect(root.registry.records.get(other.publicKey)).toBeUndefined()
    expect(connection.status).toBe('open')
    await session.put(root.network.record(key, 6))
    await beta.session.heartbeat({ seq: 1 })
    expect(await Promise.race([lost, Promise.resolve('open')])).toBe('open')
  })

  it('gives no lease with a record that it refuses, and shows nobody as online by it', async () => {
    const record = crafted({}, other)
    await failure(alpha.session.register({ instance: instance(), record }))
    const { state } = root.registry.liveness.view(alpha.key.publicKey)
    expect(state).not.toBe('online')
    const beat = await failure(alpha.session.heartbeat({ checkpoint: undefined, seq: 1 }))
    expect(beat).toMatchObject({ name: 'NotMemberError' })
  })

  it('is not sent a request that was given up while it waited for its turn', async () => {
    const full = await served({ limits: { register: { inFlight: 1 } } })
    const { admission } = full.registry
    const gate = Promise.withResolvers<void>()
    const asked: Uint8Array[] = []
    Object.assign(admission, {
      renew: async (request: Uint8Array) => {
        asked.push(request)
        await gate.promise
        return { entry: new Uint8Array() }
      }
    })
    const { session } = await client(full, 'beta', 'secondary')
    const first = session.renew(Uint8Array.of(1))
    await expect.poll(() => asked).toHaveLength(1)
    const controller = new AbortController()
    const given = failure(session.renew(Uint8Array.of(2), { signal: controller.signal }))
    const third = session.renew(Uint8Array.of(3))
    controller.abort()
    gate.resolve()
    expect(await given).toMatchObject({ name: 'DeadlineError' })
    await Promise.all([first, third])
    expect(asked).toEqual([Uint8Array.of(1), Uint8Array.of(3)])
  })

  it('keeps one record of a PeerId, however many it sends', async () => {
    const before = root.registry.records.count()
    for (let seq = 1; seq <= 4; seq++) await alpha.session.put(root.network.record(alpha.key, seq))
    expect(root.registry.records.count() - before).toBe(1)
  })
})
