import type { Connection, Stream } from '@libp2p/interface'
import { networkIdText } from '../../../src/identity/network-id.ts'
import { joinFrames } from '../../../src/protocols/engine/frame-parser.ts'
import { LookupRequest } from '../../../src/protocols/lookup/pb/lookup.ts'
import { SyncRequest } from '../../../src/protocols/sync/pb/sync.ts'
import type { Attack } from '../attack.ts'
import { again, HostileMember, idOf, push, rest } from '../member.ts'

const numbers = Array.from({ length: 8 }, (_, index) => 111 + index)
const connections = 8
const findNode = Uint8Array.of(8, 4)
/** Bytes that a stream's window takes. */
const windowBytes = 256 * 1024

/** One stream, which is left there with what is sent on it: its answers are not read, or it waits for its turn. */
interface Kind {
  readonly protocol: string
  readonly count: number
  readonly bytes: Uint8Array
}

function kindsOf(networkId: Uint8Array): Kind[] {
  const page = LookupRequest.encode({ version: 1, networkId, limit: 500 })
  const follow = SyncRequest.encode({ version: 1, networkId, hash: networkId, subscribe: true, records: true })
  const queries = Array.from({ length: windowBytes / (findNode.length + 1) }, () => findNode)
  const kad = `/trustnet/${networkIdText(networkId)}/kad/1.0.0`
  return [
    { protocol: idOf('lookup'), count: 8, bytes: joinFrames(Array.from({ length: 200 }, () => page)) },
    { protocol: idOf('sync'), count: 2, bytes: joinFrames([follow]) },
    { protocol: '/ipfs/ping/1.0.0', count: 3, bytes: new Uint8Array(windowBytes) },
    { protocol: kad, count: 30, bytes: joinFrames(queries) }
  ]
}

/** Eight members with eight connections each, who ask and follow on all streams, read nothing, and fill every window that they are given. */
export const severalTogether: Attack = async (stage) => {
  const { tally, signal } = stage
  const members = await Promise.all(numbers.map((number) => HostileMember.start(number, stage)))
  const kinds = kindsOf(stage.target.networkId)
  const open = async (connection: Connection, { protocol, bytes }: Kind): Promise<Stream> => {
    const stream = await connection.newStream(protocol, {
      maxOutboundStreams: 1_000,
      signal: AbortSignal.timeout(5_000)
    })
    stream.pause()
    tally.send('KiB', Math.round(bytes.byteLength / 1024))
    await push(stream, bytes, signal)
    return stream
  }
  await again(stage, members.length * connections, async (lane) => {
    const connection = await members[lane % members.length]?.dial()
    if (connection === undefined) return
    tally.send('connections')
    const all = kinds.flatMap((kind) => Array.from({ length: kind.count }, () => kind))
    const opened = await Promise.allSettled(all.map((kind) => open(connection, kind)))
    const streams = opened.filter(({ status }) => status === 'fulfilled').length
    tally.send('streams', streams)
    const gone = new Promise<'cut'>((resolve) =>
      connection.addEventListener('close', () => resolve('cut'), { once: true })
    )
    const ended = connection.status === 'open' ? gone : Promise.resolve('cut' as const)
    tally.meet(await Promise.race([ended, rest(10_000, signal).then(() => 'held to the end' as const)]))
    connection.abort(new Error('next'))
  })
}
