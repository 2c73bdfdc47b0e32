import type { Connection, Stream } from '@libp2p/interface'
import { networkIdText } from '../../../src/identity/network-id.ts'
import type { Attack, Stage } from '../attack.ts'
import { again, HostileMember, idOf, rest } from '../member.ts'

const floodNumbers = [11, 12, 13]
const silentNumbers = [14, 15, 16]
const crowdNumber = 17
/** More than any peer needs. */
const crowd = 400

const protocolsOf = ({ target }: Stage): string[] => [
  ...['hello', 'register', 'sync', 'lookup', 'probe'].map(idOf),
  '/meshsub/1.2.0',
  `/trustnet/${networkIdText(target.networkId)}/kad/1.0.0`,
  '/ipfs/ping/1.0.0',
  '/ipfs/id/1.0.0'
]

/** Streams of all protocols in turn, opened and thrown away as fast as they are negotiated. */
export const streamFlood: Attack = async (stage) => {
  const { tally } = stage
  const protocols = protocolsOf(stage)
  const members = await Promise.all(floodNumbers.map((number) => HostileMember.start(number, stage)))
  let next = 0
  await again(stage, members.length * 4, async (lane) => {
    const member = members[lane % members.length]
    const connection = await member?.connection()
    const protocol = protocols[next++ % protocols.length] ?? ''
    tally.send('streams')
    const stream = await connection?.newStream(protocol, { maxOutboundStreams: 1_000_000 })
    stream?.abort(new Error('next'))
  })
}

interface Muxer {
  createStream(): Promise<Stream>
}

/** libp2p's connections have one, and say so to nobody. */
const muxerOf = (connection: Connection): Muxer => {
  const muxer: unknown = Reflect.get(connection, 'muxer')
  if (typeof muxer !== 'object' || muxer === null || !('createStream' in muxer)) throw new Error('no muxer')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked at above
  return muxer as Muxer
}

/** Streams that never say which protocol they are for. */
export const silentStreams: Attack = async (stage) => {
  const { tally } = stage
  const members = await Promise.all(silentNumbers.map((number) => HostileMember.start(number, stage)))
  await again(stage, members.length, async (lane) => {
    const connection = await members[lane]?.connection()
    if (connection === undefined) return
    tally.send('streams')
    const stream = await muxerOf(connection).createStream()
    stream.addEventListener('close', () => tally.meet('reset'))
    stream.send(Uint8Array.of(0x13))
  })
}

/** One member, connection upon connection. */
export const manyConnections: Attack = async (stage) => {
  const { tally, signal } = stage
  const member = await HostileMember.start(crowdNumber, stage)
  const open = new Set<Connection>()
  await again(stage, 4, async () => {
    if (open.size >= crowd) return await rest(50, signal)
    tally.send('connections')
    const connection = await member.dial()
    open.add(connection)
    connection.addEventListener('close', () => {
      open.delete(connection)
      tally.meet('closed by the root')
    })
    tally.hold('most open at a time', open.size)
  })
}
