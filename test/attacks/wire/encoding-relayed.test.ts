import { type GossipSub, gossipsub } from '@libp2p/gossipsub'
import type { Stream } from '@libp2p/interface'
import { type Ping, ping } from '@libp2p/ping'
import { afterEach, expect } from 'vitest'
import { peerIdText } from '../../../src/identity/keys.ts'
import { type Announce, announce, announceTopic, gossipOptions } from '../../../src/protocols/announce/index.ts'
import { encodeAnnouncement } from '../../../src/protocols/announce/message.ts'
import { FrameStream } from '../../../src/protocols/engine/frames.ts'
import { defaultLimits } from '../../../src/protocols/engine/limits.ts'
import { membersOnly } from '../../../src/protocols/engine/trust/members-only.ts'
import { type Kad, kad, kadProtocol } from '../../../src/protocols/kad/index.ts'
import { recordKey } from '../../../src/protocols/kad/record-key.ts'
import { domains } from '../../../src/registry/objects/envelope.ts'
import { silentLogger, systemClock } from '../../../src/runtime/clock-and-logger.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { badRecords, resigned, withTail } from '../../helpers/faults/bad-encodings.ts'
import { type MemberHost, type Members, startMember } from '../../helpers/hosts/members.ts'
import { connect } from '../../helpers/hosts.ts'
import { recordOf } from '../../helpers/observations.ts'
import { networkId } from '../../helpers/signed-objects.ts'
import { attack, control } from '../attack.ts'

type Services = { pubsub: GossipSub; announce: Announce; ping: Ping; kad: Kad }
type Host = MemberHost<Services>

const topic = announceTopic(networkId)
const head = { epoch: 0, n: 0, hash: networkId }
const hosts: Host[] = []
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host[Symbol.asyncDispose]()))
})

/** A member that takes records by gossip and by the DHT. */
async function start(members: Members): Promise<Host> {
  const isMember = (key: Uint8Array): boolean => members.has(peerIdText(key))
  const host = await startMember<Services>({
    members,
    role: 'root',
    services: ({ trust, records }) => ({
      pubsub: membersOnly(trust, gossipsub(gossipOptions(networkId))),
      ping: ping(),
      kad: kad({ source: { networkId, records, replica: { isMember } }, trust, logger: silentLogger, server: true }),
      announce: announce({
        source: {
          networkId,
          records,
          cosignatures: { takeOf: async () => undefined },
          replica: {
            head,
            checkpoint: undefined,
            state: { memberCount: members.size },
            isMember,
            logKeyOf: () => undefined,
            observe: async () => 'known'
          }
        },
        clock: systemClock,
        logger: silentLogger,
        culprits: trust.culprits,
        isRegistry: true,
        onNewerHead: () => {}
      })
    })
  })
  hosts.push(host)
  return host
}

const hearing = (host: Host, count: number): Promise<void> =>
  expect.poll(() => host.host.services.announce.meshSize(), { timeout: ceilingMs }).toBe(count)

/** Bytes that a record of a newer version has, and this one passes on as they are. */
const newer = [0xb8, 0xbe, 0x3d, 1]
const newerRecord = ({ key }: Host): Uint8Array =>
  resigned(domains.nodeRecord, recordOf(key, 3).bytes, key, withTail(newer))

const publish = ({ host }: Host, envelope: Uint8Array): Promise<unknown> =>
  host.services.pubsub.publish(topic, encodeAnnouncement({ kind: 'record', envelope }))

/** Named for gossip that is not valid, and how often. */
const invalid = ({ trust }: Host): number =>
  trust.culprits.counts.find(({ limit }) => limit === 'announce.invalid')?.count ?? 0

attack(
  'members gossip records that other implementations refuse, with somebody behind who would get them',
  async () => {
    const members: Members = new Map()
    const [relay, behind] = [await start(members), await start(members)]
    await connect(relay.host, behind.host)
    await hearing(behind, 1)
    const count = badRecords(recordOf(relay.key, 2).bytes, relay.key).length
    for (let at = 0; at < count; at++) {
      // A new one for each: nobody listens any longer to who sent the last ones.
      const attacker = await start(members)
      await connect(attacker.host, relay.host)
      await hearing(attacker, 1)
      const { name, record } = badRecords(recordOf(attacker.key, 2).bytes, attacker.key)[at] ?? {
        name: '',
        record: new Uint8Array()
      }
      await publish(attacker, record)
      await expect.poll(() => invalid(relay), { timeout: ceilingMs, message: name }).toBe(at + 1)
      expect([name, relay.records.count(), behind.records.count()]).toEqual([name, 0, 0])
      hosts.splice(hosts.indexOf(attacker), 1)
      await attacker[Symbol.asyncDispose]()
    }
    expect(invalid(behind)).toBe(0)
    return {
      happened: `${count} records of ${count} members: 0 stored, 0 passed on, each sender named`,
      held: 'one encoding'
    }
  }
)

control('gossip of a newer version is passed on as it is', async () => {
  const members: Members = new Map()
  const [relay, behind, sender] = [await start(members), await start(members), await start(members)]
  await connect(relay.host, behind.host)
  await connect(sender.host, relay.host)
  // Each has its own view of the mesh: who publishes before it has anybody in it is heard by nobody.
  await Promise.all([hearing(relay, 2), hearing(behind, 1), hearing(sender, 1)])
  await publish(sender, newerRecord(sender))
  await expect
    .poll(() => behind.records.get(sender.key.publicKey)?.envelope, { timeout: ceilingMs })
    .toEqual(Buffer.from(newerRecord(sender)))
})

const field = (number: number, body: Uint8Array): Uint8Array => {
  const { length } = body
  const size = length < 128 ? [length] : [(length & 0x7f) | 0x80, length >>> 7]
  return Buffer.concat([Uint8Array.from([(number << 3) | 2, ...size]), body])
}

/** PUT_VALUE as it goes over the wire, past the checks of the library. @returns whether it was answered */
async function put(stream: Stream, publicKey: Uint8Array, value: Uint8Array): Promise<boolean> {
  const frames = new FrameStream(stream, { maxFrame: 65_536, limits: defaultLimits.stream })
  const key = recordKey(publicKey)
  await frames.write(Buffer.concat([field(2, key), field(3, Buffer.concat([field(1, key), field(2, value)]))]))
  return await frames.read().then(
    (answer) => answer !== undefined,
    () => false
  )
}

const putAt = async (server: Host, from: Host, value: Uint8Array): Promise<boolean> => {
  const connection = await connect(from.host, server.host)
  return await put(await connection.newStream(kadProtocol(networkId)), from.key.publicKey, value)
}

attack('a member puts records into the DHT that other implementations refuse', async () => {
  const members: Members = new Map()
  const [server, attacker] = [await start(members), await start(members)]
  const tried = badRecords(recordOf(attacker.key, 2).bytes, attacker.key)
  for (const { name, record } of tried) {
    expect([name, await putAt(server, attacker, record)]).toEqual([name, false])
    expect([name, server.records.count()]).toEqual([name, 0])
  }
  // None was refused for their number.
  expect(server.trust.culprits.counts).toEqual([])
  return { happened: `${tried.length} records: 0 taken`, held: 'one encoding' }
})

control('the DHT takes one of a newer version', async () => {
  const members: Members = new Map()
  const [server, sender] = [await start(members), await start(members)]
  expect(await putAt(server, sender, newerRecord(sender))).toBe(true)
  expect(server.records.get(sender.key.publicKey)?.envelope).toEqual(Buffer.from(newerRecord(sender)))
})
