import { randomBytes } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { networkIdText } from '../../../src/identity/network-id.ts'
import { joinFrames } from '../../../src/protocols/engine/frame-parser.ts'
import { LookupRequest } from '../../../src/protocols/lookup/pb/lookup.ts'
import { states } from '../../../src/registry/liveness/states.ts'
import type { Attack } from '../attack.ts'
import { again, endOf, HostileMember, idOf, push, rest, Stranger } from '../member.ts'
import { framesOf } from '../muxer.ts'

const numbers = [101, 102, 103]
const pingBytes = new Uint8Array(32)
const perTurn = 250

/** A stranger that opens a stream and resets it, as fast as its socket takes it. */
export const strangerResets: Attack = async (stage) => {
  const stranger = await Stranger.start(await generateKeyPair('Ed25519'), stage)
  await again(stage, 1, async () => {
    const frames = framesOf(await stranger.connection())
    for (let sent = 0; sent < perTurn; sent++) frames.openAndReset()
    stage.tally.send('streams', perTurn)
  })
}

/** A member that pings the muxer, and sends window updates for streams that are not there. */
export const muxerFrames: Attack = async (stage) => {
  const member = await HostileMember.start(numbers[0] ?? 0, stage)
  await again(stage, 1, async () => {
    const frames = framesOf(await member.connection())
    for (let sent = 0; sent < perTurn; sent++) frames.pingAndUpdate()
    stage.tally.send('frames', 2 * perTurn)
  })
}

/** Twelve ping streams of a member on as many connections as it may have, each as fast as it is answered. */
export const pingStreams: Attack = async (stage) => {
  const member = await HostileMember.start(numbers[1] ?? 0, stage)
  await again(stage, 12, async () => {
    const stream = await (await member.dial()).newStream('/ipfs/ping/1.0.0', { maxOutboundStreams: 100 })
    const ended = endOf(stream)
    stream.addEventListener('message', () => {
      stage.tally.send('pings')
      if (stream.writeStatus === 'writable' && !stage.signal.aborted) stream.send(pingBytes)
    })
    for (let sent = 0; sent < 20; sent++) stream.send(pingBytes)
    await Promise.race([ended, rest(10_000, stage.signal)])
  })
}

/** Queries of the DHT with two million peers that are nothing at all, 3.9 MiB each. */
export const kadPeers: Attack = async (stage) => {
  const member = await HostileMember.start(numbers[2] ?? 0, stage)
  const protocol = `/trustnet/${networkIdText(stage.target.networkId)}/kad/1.0.0`
  const body = Buffer.concat([Uint8Array.of(8, 4), Buffer.alloc(3_900_000, Uint8Array.of(66, 0))])
  const message = Buffer.concat([Uint8Array.of(0xa2, 0x85, 0xee, 0x01), body])
  await again(stage, 2, async () => {
    const stream = await member.open(protocol)
    const ended = endOf(stream)
    stage.tally.send('queries')
    for (let at = 0; at < message.length && stream.status === 'open'; at += 65_536) {
      await push(stream, message.subarray(at, at + 65_536), stage.signal)
    }
    stage.tally.meet(await Promise.race([ended, rest(10_000, stage.signal).then(() => 'held for 10 s' as const)]))
    stream.abort(new Error('next'))
  })
}

/** Questions for members in a state in which nobody is, and for everybody, on all streams that a member may have. */
export const costlyLookups: Attack = async (stage) => {
  const member = await HostileMember.start(104, stage)
  const { networkId } = member
  const rare = LookupRequest.encode({ version: 1, networkId, state: states.unknown, role: 2, limit: 500 })
  const all = LookupRequest.encode({ version: 1, networkId, limit: 500 })
  const questions = joinFrames(Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? rare : all)))
  await again(stage, 8, async () => {
    const stream = await member.open(idOf('lookup'))
    const ended = endOf(stream)
    stage.tally.send('questions', 50)
    await push(stream, questions, stage.signal)
    stage.tally.meet(await Promise.race([ended, rest(5_000, stage.signal).then(() => 'kept waiting' as const)]))
    stream.abort(new Error('next'))
  })
}

const emptyPerSecond = 18_000

/** Frames of nothing on a stream that is there, just below the rate at which a member is cut. */
export const emptyFrames: Attack = async (stage) => {
  const member = await HostileMember.start(105, stage)
  const { signal, tally } = stage
  await again(stage, 1, async () => {
    const stream = await member.open(idOf('lookup'))
    const streamID = Number(Reflect.get(stream, 'streamId'))
    const frames = framesOf(await member.connection())
    const begun = performance.now()
    for (let sent = 0; stream.status === 'open' && !signal.aborted; ) {
      const due = ((performance.now() - begun) / 1_000) * emptyPerSecond
      for (; sent < due; sent += 2) frames.emptyFrames(streamID)
      tally.hold('frames', sent)
      await rest(5, signal)
    }
    tally.meet('cut')
  })
}

const protoField = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2, (bytes.length & 0x7f) | 0x80, bytes.length >>> 7]), bytes])
const kadTypes = { putValue: 0, getValue: 1, addProvider: 2, getProviders: 3, findNode: 4, ping: 5 }

/** Messages of the DHT of each type, for keys that nobody has, a hundred to a write. */
export const kadMessages: Attack = async (stage) => {
  const member = await HostileMember.start(106, stage)
  const protocol = `/trustnet/${networkIdText(stage.target.networkId)}/kad/1.0.0`
  const provider = protoField(1, member.host.peerId.toMultihash().bytes)
  const messageOf = (type: number): Uint8Array => {
    const key = randomBytes(34)
    key.set([0x12, 0x20])
    const record = Buffer.concat([protoField(1, key), protoField(2, randomBytes(200))])
    return Buffer.concat([Buffer.from([8, type]), protoField(2, key), protoField(3, record), protoField(9, provider)])
  }
  const types = Object.values(kadTypes)
  await again(stage, 8, async () => {
    const stream = await member.open(protocol)
    const ended = endOf(stream)
    while (stream.writeStatus === 'writable' && !stage.signal.aborted) {
      stage.tally.send('messages', 100)
      const batch = Array.from({ length: 100 }, (_, index) => messageOf(types[index % types.length] ?? 0))
      await push(stream, joinFrames(batch), stage.signal)
      await new Promise(setImmediate)
    }
    stage.tally.meet(await Promise.race([ended, rest(10, stage.signal).then(() => 'held' as const)]))
    stream.abort(new Error('next'))
  })
}

/** Pushes of identify, each with other protocols and addresses. */
export const identifyPushes: Attack = async (stage) => {
  const member = await HostileMember.start(107, stage)
  await again(stage, 8, async () => {
    const stream = await member.open('/ipfs/id/push/1.0.0')
    const ended = endOf(stream)
    const protocols = Array.from({ length: 120 }, () => protoField(3, Buffer.from(randomBytes(24).toString('hex'))))
    stage.tally.send('pushes')
    stream.send(joinFrames([Buffer.concat(protocols)]))
    void stream.close()
    stage.tally.meet(await Promise.race([ended, rest(5_000, stage.signal).then(() => 'held' as const)]))
    stream.abort(new Error('next'))
  })
}
