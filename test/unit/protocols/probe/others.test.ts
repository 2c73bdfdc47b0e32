import type { Connection } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { peerIdText, SigningKey } from '../../../../src/identity/keys.ts'
import type { Role } from '../../../../src/identity/role.ts'
import { FrameStream } from '../../../../src/protocols/engine/frames.ts'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { statuses } from '../../../../src/protocols/engine/status.ts'
import { askTold, probeId, probeMember, probeServer } from '../../../../src/protocols/probe/index.ts'
import type { ProbedMember } from '../../../../src/protocols/probe/messages.ts'
import { ProbeAnswer, ProbeRequest } from '../../../../src/protocols/probe/pb/probe.ts'
import type { ProbeServer } from '../../../../src/protocols/probe/server.ts'
import { type MemberHost, type Members, startMember } from '../../../helpers/hosts/members.ts'
import { connect, withoutSockets } from '../../../helpers/hosts.ts'
import { recordOf } from '../../../helpers/observations.ts'
import { networkId } from '../../../helpers/signed-objects.ts'

withoutSockets()

type Services = { probe: ProbeServer }

let members: Members
let told: ProbedMember[]
let dialsLoopback: boolean
let opened: MemberHost<Services>[]
/** The member that dials, and one that is dialled. */
let dialler: MemberHost<Services>
let target: MemberHost<Services>

const start = async (role: Role): Promise<MemberHost<Services>> => {
  const host = await startMember<Services>({
    members,
    role,
    services: ({ trust, records }) => ({
      probe: probeServer({
        networkId,
        addrsOf: (publicKey) => records.read(publicKey)?.addrs ?? [],
        others: {
          isRegistry: (publicKey) => members.get(peerIdText(publicKey)) === 'root',
          dialsLoopback: () => dialsLoopback,
          told: (publicKey) => told.filter((each) => publicKey === undefined || each.publicKey[0] === publicKey[0])
        },
        trust,
        limits: limitsWith()
      })
    })
  })
  opened.push(host)
  return host
}

const addrOf = ({ host }: MemberHost<Services>): string =>
  (host.getMultiaddrs()[0]?.toString() ?? '').replace(/\/p2p\/.*/, '')

const announced = async (
  at: MemberHost<Services>,
  { key }: MemberHost<Services>,
  ...addrs: string[]
): Promise<unknown> => await at.records.put(recordOf(key, 1, { addrs }).bytes)

beforeEach(async () => {
  members = new Map()
  told = []
  opened = []
  dialsLoopback = true
  dialler = await start('integrated')
  target = await start('integrated')
})

afterEach(async () => {
  await Promise.all(opened.map((host) => host[Symbol.asyncDispose]()))
})

const options = { networkId, limits: limitsWith() }
const probeBy = async (role: Role, addr: string) => {
  const asker = await start(role)
  const { publicKey } = target.key
  return await probeMember(await connect(asker.host, dialler.host), { publicKey, addr }, options)
}

describe('a member that a registry asks to dial another one', () => {
  test('says how that ended, and in what time', async () => {
    await announced(dialler, target, addrOf(target), '/ip6/::1/tcp/1')
    const reached = await probeBy('root', addrOf(target))
    expect(reached.failure).toBeUndefined()
    expect(reached.tookMs).toBeGreaterThanOrEqual(0)
    expect((await probeBy('root', '/ip6/::1/tcp/1')).failure).toBeDefined()
  })

  test.each<[string, Role, () => string, string]>([
    ['asked by a member that is no registry', 'integrated', () => addrOf(target), 'InvalidPayloadError'],
    ['at an address that the record of the target does not have', 'root', () => '/ip6/::1/tcp/7', 'InvalidPayloadError']
  ])('dials nobody %s', async (_why, role, addr, name) => {
    await announced(dialler, target, addrOf(target))
    const dialled: unknown[] = []
    dialler.host.addEventListener('connection:open', ({ detail }) => {
      if (detail.direction === 'outbound') dialled.push(detail.remoteAddr)
    })
    await expect(probeBy(role, addr())).rejects.toMatchObject({ name })
    expect(dialled).toEqual([])
  })

  test('dials no loopback address of somebody else where it announces none itself', async () => {
    await announced(dialler, target, '/ip6/::1/tcp/1')
    dialsLoopback = false
    await expect(probeBy('root', '/ip6/::1/tcp/1')).rejects.toMatchObject({ name: 'InvalidPayloadError' })
  })

  test('that is connected to it already dials all the same', async () => {
    await announced(dialler, target, addrOf(target))
    await connect(dialler.host, target.host)
    let opens = 0
    target.host.addEventListener('connection:open', () => opens++)
    expect((await probeBy('root', addrOf(target))).failure).toBeUndefined()
    expect(opens).toBe(1)
  })

  test('dials within the same limits for itself', async () => {
    const { probe } = dialler.host.services
    const signal = AbortSignal.timeout(60_000)
    const dial = async (addr: string) => await probe.dial(addr, target.host.peerId, signal)
    expect((await dial(addrOf(target))).failure).toBeUndefined()
    expect((await dial(addrOf(target))).failure).toBeUndefined()
    await expect(dial(addrOf(target))).rejects.toMatchObject({ name: 'RateLimitedError' })
    expect((await dial('/ip6/::1/tcp/1')).failure).toBeDefined()
  })

  test('gives up with its asker', async () => {
    const over = new AbortController()
    over.abort(new Error('enough'))
    const dial = dialler.host.services.probe.dial('/ip6/::1/tcp/1', target.host.peerId, over.signal)
    await expect(dial).rejects.toThrow('enough')
  })
})

describe('a member that is asked what it was told', () => {
  const word = (publicKey: Uint8Array): ProbedMember => ({
    publicKey,
    addrs: [
      {
        addr: '/ip6/2001:db8::1/tcp/9000',
        words: [{ prober: dialler.key.publicKey, failure: undefined, agoMs: 5_000, tookMs: 12 }]
      }
    ]
  })
  const asking = async (): Promise<Connection> => await connect((await start('integrated')).host, dialler.host)

  test('tells it of one, or of all', async () => {
    const [ann, bob] = [SigningKey.generate().publicKey, SigningKey.generate().publicKey]
    told = [word(ann), word(bob)]
    const connection = await asking()
    expect(await askTold(connection, undefined, options)).toEqual({ members: told, left: 0 })
    const { members: ofAnn } = await askTold(connection, ann, options)
    expect(ofAnn.map(({ publicKey }) => publicKey)).toContainEqual(ann)
  })

  test('says nothing of a member that nobody spoke of', async () => {
    expect(await askTold(await asking(), target.key.publicKey, options)).toEqual({ members: [], left: 0 })
  })

  test.each([
    ['a key that is none', ProbeRequest.encode({ version: 1, networkId, target: new Uint8Array(32).fill(255) })],
    ['a key that is too short', ProbeRequest.encode({ version: 1, networkId, target: new Uint8Array(5) })]
  ])('refuses a question about %s', async (_what, question) => {
    const connection = await asking()
    const frames = new FrameStream(await connection.newStream(probeId), { maxFrame: 64, limits: options.limits.stream })
    await frames.write(question)
    expect(ProbeAnswer.decode((await frames.read()) ?? new Uint8Array()).status).toBe(statuses.INVALID)
    await frames.close()
  })

  test('gets no answer to a stream without a question', async () => {
    const connection = await asking()
    const frames = new FrameStream(await connection.newStream(probeId), { maxFrame: 64, limits: options.limits.stream })
    await frames.close().catch(() => {})
    expect(await frames.read().catch(() => undefined)).toBeUndefined()
    expect(connection.status).toBe('open')
  })
})

test('a node whose service has stopped dials nobody', async () => {
  const connection = await connect((await start('root')).host, dialler.host)
  await dialler.host.services.probe.stop()
  await announced(dialler, target, addrOf(target))
  await expect(
    probeMember(connection, { publicKey: target.key.publicKey, addr: addrOf(target) }, options)
  ).rejects.toThrow('/probe/')
})
