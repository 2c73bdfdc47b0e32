import type { Stream } from '@libp2p/interface'
import { afterEach, describe, expect } from 'vitest'
import type { SigningKey } from '../../../src/identity/keys.ts'
import { serve } from '../../../src/protocols/engine/protocol.ts'
import type { ConnectionTrust } from '../../../src/protocols/engine/trust/connection-trust.ts'
import { registerDescriptor } from '../../../src/protocols/register/descriptor.ts'
import { SessionFrame } from '../../../src/protocols/register/pb/register.ts'
import { InviteInvalidError } from '../../../src/runtime/errors.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import {
  client,
  failure,
  instance,
  joinOf,
  protocol,
  rawSession,
  type Served,
  served,
  stopServed
} from '../../helpers/hosts/sessions.ts'
import { aGrant, keyOf } from '../../helpers/signed-objects.ts'
import { attack, control } from '../attack.ts'

afterEach(stopServed)

const none = new Uint8Array()
type Body = Omit<SessionFrame, 'id'>

/** More than any session is allowed. */
const requests = 40
const floods: readonly [string, (root: Served, key: SigningKey, seq: number) => Body, string][] = [
  ['records', (root, key, seq) => ({ put: { record: root.network.record(key, seq) } }), 'register.puts'],
  [
    'heartbeats',
    (_root, _key, seq) => ({ heartbeat: { checkpoint: none, cosignatures: [], seq, connected: [], rttMs: 0 } }),
    'register.heartbeats'
  ],
  [
    'registrations',
    () => ({ register: { record: none, instance: new Uint8Array(16), join: none } }),
    'register.registers'
  ],
  ['requests', () => ({ renew: { request: none } }), 'register.requests']
]

/** PeerIds and the limits that they were named for. */
const namedIn = (trust: ConnectionTrust): string[] =>
  trust.culprits.counts.flatMap(({ limit, culprits }) => culprits.map(({ who }) => `${limit} ${who}`))

async function ask(root: Served, count: number, bodyOf: (root: Served, key: SigningKey, seq: number) => Body) {
  const member = await client(root, 'alpha', 'integrated')
  const { ask: answered, send } = await rawSession(member.connection)
  for (let id = 1; id <= count; id++) send(SessionFrame.encode({ id, ...bodyOf(root, member.key, id) }))
  for (let id = 1; id <= count; id++) await answered()
  return member.host.peerId.toString()
}

describe('who exceeds the limits of a session', () => {
  for (const [what, bodyOf, limit] of floods) {
    attack(`${what} in a session, without end`, async () => {
      const root = await served()
      const neighbour = await client(root, 'beta', 'integrated')
      const culprit = await ask(root, requests, bodyOf)
      await neighbour.session.put(root.network.record(neighbour.key, 1))
      expect(namedIn(root.trust)).toEqual([`${limit} ${culprit}`])
      return { happened: `${requests} ${what}; its sender was named, and no neighbour`, held: limit }
    })
  }

  const rate = { count: 100, perMs: 1_000 }
  const unfinished: Record<string, (stream: Stream) => void> = {
    'and never ended': () => {},
    'and left by a reset of the stream': (stream) => setTimeout(() => stream.abort(new Error('left')), 20)
  }
  for (const [how, leave] of Object.entries(unfinished)) {
    attack(`frames that are begun ${how}, a few on each protocol`, async () => {
      const frameMs = how === 'and never ended' ? 20 : ceilingMs
      const root = await served({ limits: { stream: { frameMs }, register: { opens: rate } } })
      const other = { ...registerDescriptor(root.limits), id: '/trustnet/other/1.0.0', rate }
      const { host: registrar, trust, limits } = root
      await serve({ registrar, trust, limits }, other, async ({ frames }) => void (await frames.read()))
      const member = await client(root, 'alpha', 'integrated')
      const streams = 12
      for (let opened = 0; opened < streams; opened++) {
        const stream = await member.connection.newStream(opened % 2 === 0 ? protocol : other.id)
        stream.send(Uint8Array.of(100, 1, 2, 3))
        const closed = new Promise((resolve) => stream.addEventListener('close', resolve, { once: true }))
        leave(stream)
        await closed
      }
      const culprit = `stream.slow ${member.host.peerId.toString()}`
      await expect.poll(() => namedIn(root.trust), { timeout: ceilingMs }).toEqual([culprit])
      return { happened: `${streams} streams of two protocols; their sender was named`, held: 'stream.slow' }
    })
  }

  control('a machine that is slow once is not named', async () => {
    const root = await served({ limits: { stream: { frameMs: 20 } } })
    const member = await client(root, 'alpha', 'integrated')
    const stream = await member.connection.newStream(protocol)
    stream.send(Uint8Array.of(100, 1, 2, 3))
    await new Promise((resolve) => stream.addEventListener('close', resolve, { once: true }))
    expect(namedIn(root.trust)).toEqual([])
  })

  control('who asks as often as it may is not named', async () => {
    for (const [, bodyOf] of floods) {
      const root = await served()
      await ask(root, 2, bodyOf)
      expect(namedIn(root.trust)).toEqual([])
    }
  })
})

const invite = { grant: aGrant, inviteKey: keyOf(7) }

async function joinAs(
  root: Served,
  name: string,
  given: typeof invite | { grant: { id: Uint8Array }; inviteKey: SigningKey }
) {
  const { key, session } = await client(root, name)
  const record = root.network.record(key, 1)
  return await failure(session.register({ record, instance: instance(), join: joinOf(root, key, name, given) }))
}

/** A root whose /64 has just shown it a join that is none. */
async function withBadNeighbour(): Promise<Served> {
  const root = await served({
    limits: { register: { failedProofs: { count: 1, perMs: 600_000 } } },
    decide: ({ value }) => {
      if (value.grantId?.every((byte) => byte === 0xee)) throw new InviteInvalidError('no such invite')
    }
  })
  root.network.append({ kind: 'grant', body: { ...aGrant, uses: 3 } })
  root.registry.replica.catchUp()
  const made = { grant: { id: new Uint8Array(16).fill(0xee) }, inviteKey: keyOf(8) }
  expect(await joinAs(root, 'bad', made)).toMatchObject({ name: 'InviteInvalidError' })
  return root
}

describe('a stranger that fails to prove anything, in the /64 of honest ones', () => {
  attack('failed proofs keep those out who were invited', async () => {
    const root = await withBadNeighbour()
    expect(await joinAs(root, 'good', invite)).not.toBeInstanceOf(Error)
    return {
      happened: 'its neighbour with an invite is let in meanwhile',
      held: 'register.failedProofs spares open invites'
    }
  })

  control('whoever names no open invite waits for it', async () => {
    const root = await withBadNeighbour()
    const unknown = { grant: { id: new Uint8Array(16).fill(0xdd) }, inviteKey: keyOf(8) }
    expect(await joinAs(root, 'other', unknown)).toMatchObject({ name: 'RateLimitedError' })
  })
})
