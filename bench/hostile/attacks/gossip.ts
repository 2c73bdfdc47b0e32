import { randomBytes } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { announceTopic } from '../../../src/protocols/announce/index.ts'
import { sealCheckpoint } from '../../../src/registry/objects/checkpoint.ts'
import { memberRecord, nextSeq } from '../../harness/members/members.ts'
import type { Attack } from '../attack.ts'
import { again, HostileMember, push } from '../member.ts'

const protocol = '/meshsub/1.2.0'
const perFrame = 16
const signPrefix = Buffer.from('libp2p-pubsub:')

const varint = (value: number): number[] => {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest]
    bytes.push((rest & 0x7f) | 0x80)
  }
}
const field = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes])

/** A gossipsub message of the member, with its signature or one that is none. */
const message = (member: HostileMember, topic: string, data: Uint8Array, isForged: boolean): Buffer => {
  const unsigned = Buffer.concat([
    field(1, member.host.peerId.toMultihash().bytes),
    field(2, data),
    field(3, randomBytes(8)),
    field(4, Buffer.from(topic))
  ])
  const signature = isForged ? randomBytes(64) : member.key.sign(Buffer.concat([signPrefix, unsigned]))
  return field(2, Buffer.concat([unsigned, field(5, signature)]))
}

const framed = (rpc: Uint8Array): Buffer => Buffer.concat([Buffer.from(varint(rpc.length)), rpc])
const subscribe = (topic: string): Buffer =>
  framed(field(1, Buffer.concat([Uint8Array.of(8, 1), field(2, Buffer.from(topic))])))

interface Spam {
  readonly numbers: readonly number[]
  /** What a message says; the first byte is its kind. */
  readonly data: (member: HostileMember) => Uint8Array
  readonly isForged?: boolean
}

const record = (member: HostileMember): Uint8Array =>
  Uint8Array.from([1, ...memberRecord(member.networkId, member.key, nextSeq())])

/** As many messages as are taken, by members of the mesh. */
const spam =
  ({ numbers, data, isForged = false }: Spam): Attack =>
  async (stage) => {
    const { tally, signal, target } = stage
    const topic = announceTopic(target.networkId)
    const members = await Promise.all(numbers.map((number) => HostileMember.start(number, stage, [protocol])))
    await again(stage, members.length, async (lane) => {
      const member = members[lane]
      if (member === undefined) return
      const stream: Stream = await member.open(protocol)
      stream.addEventListener('close', () => tally.meet('stream reset'))
      await push(stream, subscribe(topic), signal)
      while (stream.status === 'open' && !signal.aborted) {
        const batch = Array.from({ length: perFrame }, () => message(member, topic, data(member), isForged))
        tally.send('messages', perFrame)
        await push(stream, framed(Buffer.concat(batch)), signal)
        await new Promise(setImmediate)
      }
    })
  }

export const gossipValid = spam({ numbers: [31, 32], data: record })

export const gossipForged = spam({ numbers: [33, 34], data: record, isForged: true })

export const gossipInvalid = spam({
  numbers: [35, 36],
  data: (member) => {
    const bytes = record(member)
    const last = bytes.length - 1
    return bytes.with(last, (bytes[last] ?? 0) ^ 1)
  }
})

export const gossipOversized = spam({ numbers: [37, 38], data: () => new Uint8Array(3_000).fill(1) })

const replayed = new Map<string, Uint8Array>()
export const gossipReplayed = spam({
  numbers: [39, 40],
  data: (member) => {
    const id = member.host.peerId.toString()
    const known = replayed.get(id) ?? record(member)
    replayed.set(id, known)
    return known
  }
})

/** Checkpoints of an epoch that does not exist, of the year 2099: each one looks like news. */
export const gossipFutureHeads = spam({
  numbers: [41, 42],
  data: (member) => {
    const checkpoint = sealCheckpoint(
      {
        networkId: member.networkId,
        epoch: 9,
        n: Math.floor(Math.random() * 1e9),
        headHash: randomBytes(32),
        stateRoot: randomBytes(32),
        rows: 1,
        bytes: 1,
        timeMs: Date.UTC(2099, 0)
      },
      member.key
    )
    return Uint8Array.from([2, ...checkpoint.bytes])
  }
})

/** Ids that are told and asked for, grafts and prunes with peers to go to, and no message. */
export const gossipControl: Attack = async (stage) => {
  const { tally, signal, target } = stage
  const topic = field(1, Buffer.from(announceTopic(target.networkId)))
  const ids = (number: number): Buffer =>
    Buffer.concat(Array.from({ length: 40 }, () => field(number, randomBytes(20))))
  const peers = Buffer.concat(Array.from({ length: 16 }, () => field(2, field(1, randomBytes(38)))))
  const control = (): Buffer =>
    Buffer.concat([
      field(1, Buffer.concat([topic, ids(2)])),
      field(2, ids(1)),
      field(3, topic),
      field(4, Buffer.concat([topic, peers])),
      field(5, ids(1))
    ])
  const members = await Promise.all([43, 44].map((number) => HostileMember.start(number, stage, [protocol])))
  await again(stage, members.length, async (lane) => {
    const member = members[lane]
    if (member === undefined) return
    const stream = await member.open(protocol)
    stream.addEventListener('close', () => tally.meet('stream reset'))
    await push(stream, subscribe(announceTopic(target.networkId)), signal)
    while (stream.status === 'open' && !signal.aborted) {
      tally.send('frames')
      await push(stream, framed(field(3, control())), signal)
      await new Promise(setImmediate)
    }
  })
}
