import { once } from 'node:events'
import { type GossipSub, gossipsub } from '@libp2p/gossipsub'
import { afterEach, describe, expect, test } from 'vitest'
import { peerIdText, SigningKey } from '../../../../src/identity/keys.ts'
import { type Announce, announce, announceTopic, gossipOptions } from '../../../../src/protocols/announce/index.ts'
import { encodeAnnouncement } from '../../../../src/protocols/announce/message.ts'
import { Culprits } from '../../../../src/protocols/engine/culprits.ts'
import { membersOnly } from '../../../../src/protocols/engine/trust/members-only.ts'
import { type Checkpoint, openCheckpoint, sealCheckpoint } from '../../../../src/registry/objects/checkpoint.ts'
import type { Signed } from '../../../../src/registry/objects/envelope.ts'
import type { RecordEvent } from '../../../../src/registry/records/records.ts'
import { silentLogger, systemClock } from '../../../../src/runtime/clock-and-logger.ts'
import { ceilingMs } from '../../../helpers/ceiling.ts'
import { type MemberHost, type Members, startMember } from '../../../helpers/hosts/members.ts'
import { connect, withSockets } from '../../../helpers/hosts.ts'
import { recordOf } from '../../../helpers/observations.ts'
import { networkId } from '../../../helpers/signed-objects.ts'

withSockets()

type Services = { pubsub: GossipSub; announce: Announce }

interface GossipHost extends MemberHost<Services> {
  readonly heads: Signed<Checkpoint>[]
  /** Fields of the warnings that it logged. */
  readonly warned: object[]
  /** Resolves with the next record that is stored. */
  nextRecord(): Promise<RecordEvent>
}

const logKey = SigningKey.generate()
const topic = announceTopic(networkId)
const hosts: GossipHost[] = []

const checkpointAt = (n: number, key = logKey, timeMs = 1_700_000_000_000, epoch = 0): Signed<Checkpoint> =>
  sealCheckpoint(
    {
      networkId,
      epoch,
      n,
      headHash: new Uint8Array(32).fill(n),
      stateRoot: new Uint8Array(32),
      rows: n,
      bytes: 100 * n,
      timeMs
    },
    key
  )

const head = ({ bytes }: Signed<Checkpoint>) => encodeAnnouncement({ kind: 'head', envelope: bytes })

/** gossipsub's class has it, its exported type leaves it out. */
function scoreOf(pubsub: GossipSub, peer: string): number {
  if (!('getScore' in pubsub) || typeof pubsub.getScore !== 'function') throw new Error('gossipsub has no scores')
  return Number(pubsub.getScore(peer))
}

async function start(members: Members, role: 'root' | 'integrated' | 'stranger' = 'integrated'): Promise<GossipHost> {
  const heads: Signed<Checkpoint>[] = []
  const warned: object[] = []
  const stored: RecordEvent[] = []
  const arrivals = new EventTarget()
  const member = await startMember<Services>({
    members,
    role,
    onRecord: (event) => {
      stored.push(event)
      arrivals.dispatchEvent(new Event('record'))
    },
    services: ({ trust, records }) => ({
      pubsub: membersOnly(trust, gossipsub(gossipOptions(networkId))),
      announce: announce({
        source: {
          networkId,
          records,
          cosignatures: { takeOf: async () => undefined },
          replica: {
            head: { epoch: 0, n: 10, hash: checkpointAt(10).value.headHash },
            checkpoint: checkpointAt(10),
            state: { memberCount: members.size },
            isMember: (publicKey) => members.has(peerIdText(publicKey)),
            logKeyOf: (epoch) => (epoch === 0 ? logKey.publicKey : undefined),
            observe: async (bytes) => (openCheckpoint(bytes, networkId).value.n > 10 ? 'newer' : 'known')
          }
        },
        clock: systemClock,
        logger: silentLogger,
        culprits: new Culprits({ logger: { ...silentLogger, warn: (fields: object) => warned.push(fields) } }),
        isRegistry: role === 'root',
        onNewerHead: (checkpoint) => heads.push(checkpoint)
      })
    })
  })
  const nextRecord = async (): Promise<RecordEvent> => {
    for (;;) {
      const event = stored.shift()
      if (event !== undefined) return event
      await once(arrivals, 'record')
    }
  }
  const host = { ...member, heads, warned, nextRecord, [Symbol.asyncDispose]: member[Symbol.asyncDispose] }
  hosts.push(host)
  return host
}

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host[Symbol.asyncDispose]()))
})

const hearing = (host: GossipHost, count: number): Promise<void> =>
  expect.poll(() => host.host.services.announce.meshSize(), { interval: 10, timeout: ceilingMs }).toBe(count)

/** a – b – c: what a says reaches c through b alone. */
async function chain(): Promise<{ members: Members; a: GossipHost; b: GossipHost; c: GossipHost }> {
  const members: Members = new Map()
  const a = await start(members, 'root')
  const b = await start(members)
  const c = await start(members)
  await connect(a.host, b.host)
  await connect(b.host, c.host)
  await hearing(a, 1)
  await hearing(b, 2)
  await hearing(c, 1)
  return { members, a, b, c }
}

describe('gossip of announcements', () => {
  test('a record reaches every member, through others, and each stores it', async () => {
    const { a, b, c } = await chain()
    const record = recordOf(a.key, 5)
    a.host.services.announce.announceRecord(record.bytes)
    for (const host of [b, c]) {
      const event = await host.nextRecord()
      expect(event.source).toBe('gossip')
      expect(event.record.bytes).toEqual(record.bytes)
    }
  })

  test('what is announced while nobody listens is sent when somebody does, in its newest version', async () => {
    const members: Members = new Map()
    const first = await start(members)
    first.host.services.announce.announceRecord(recordOf(first.key, 1).bytes)
    first.host.services.announce.announceRecord(recordOf(first.key, 2).bytes)
    const second = await start(members)
    await connect(second.host, first.host)
    expect((await second.nextRecord()).record.value.seq).toBe(2)
    expect(second.records.count()).toBe(1)
  })

  test('an older record than the one held is not passed on, and a forged one costs its sender', async () => {
    const { a, b, c } = await chain()
    await b.records.put(recordOf(a.key, 7).bytes)
    await b.nextRecord()
    a.host.services.announce.announceRecord(recordOf(a.key, 6).bytes)
    const forged = recordOf(a.key, 9).bytes.slice()
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
    await a.host.services.pubsub.publish(topic, encodeAnnouncement({ kind: 'record', envelope: forged }))
    // Messages of one sender are judged in order of arrival: when this one has come, the others have been judged.
    a.host.services.announce.announceRecord(recordOf(a.key, 10).bytes)
    expect((await c.nextRecord()).record.value.seq).toBe(10)
    expect((await b.nextRecord()).record.value.seq).toBe(10)
    const { pubsub } = b.host.services
    await expect.poll(() => scoreOf(pubsub, a.host.peerId.toString()), { timeout: ceilingMs }).toBeLessThan(0)
    const sender = a.host.peerId.toString()
    expect(b.warned).toEqual([{ limit: 'announce.invalid', peer: sender, count: 1 }])
    expect(c.warned).toEqual([])
  })

  test('a newer head of the log key makes the others sync; of another key, or an older one, nothing', async () => {
    const { a, b, c } = await chain()
    const { pubsub } = a.host.services
    await pubsub.publish(topic, head(checkpointAt(9)))
    await pubsub.publish(topic, head(checkpointAt(12, SigningKey.generate())))
    a.host.services.announce.announceHead(checkpointAt(11))
    await expect.poll(() => c.heads.map(({ value }) => value.n), { interval: 10, timeout: ceilingMs }).toEqual([11])
    expect(b.heads.map(({ value }) => value.n)).toEqual([11])
  })

  test('a made-up head of an epoch that nobody knows does not keep the next true one from being told', async () => {
    const { a, b, c } = await chain()
    const madeUp = checkpointAt(1_000, a.key, Date.UTC(2099, 0), 9)
    await a.host.services.pubsub.publish(topic, head(madeUp))
    await expect.poll(() => b.heads.map(({ value }) => value.epoch), { timeout: ceilingMs }).toEqual([9])
    b.host.services.announce.announceHead(checkpointAt(11))
    await expect.poll(() => c.heads.map(({ value }) => value.n), { timeout: ceilingMs }).toEqual([11])
  })

  test('who announces without end is named by those whom it tells, and by nobody behind them', async () => {
    const { a, b, c } = await chain()
    for (let sent = 0; sent < 30; sent++)
      await a.host.services.pubsub.publish(topic, head(checkpointAt(9, logKey, sent)))
    const limit = { limit: 'announce.author', peer: a.host.peerId.toString() }
    await expect.poll(() => b.warned, { timeout: ceilingMs }).toContainEqual(expect.objectContaining(limit))
    expect(c.warned).toEqual([])
  })

  test('a stranger neither hears nor is heard', async () => {
    const members: Members = new Map()
    const member = await start(members)
    const stranger = await start(members, 'stranger')
    const other = await start(members)
    // The stranger takes everybody for a member; nobody takes it for one.
    await connect(stranger.host, member.host)
    await connect(other.host, member.host)
    await hearing(member, 1)
    expect(member.host.services.pubsub.getPeers().map(String)).toEqual([other.host.peerId.toString()])
    stranger.host.services.announce.announceRecord(recordOf(stranger.key, 1).bytes)
    member.host.services.announce.announceRecord(recordOf(member.key, 1).bytes)
    await other.nextRecord()
    expect(stranger.records.count()).toBe(0)
    expect(member.records.count()).toBe(0)
  })
})
