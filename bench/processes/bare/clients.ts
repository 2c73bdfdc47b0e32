import { setTimeout as pause } from 'node:timers/promises'
import type { Connection, Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { EchoFrames, echoProtocol } from '../../harness/echo-frames.ts'
import { type LoadResult, runLoad } from '../../harness/load.ts'
import { startBareHost } from '../../harness/members/bare-host.ts'
import { serveMethods } from '../../harness/serve.ts'

/** Bare libp2p hosts with one connection and one stream each. */
interface Lane {
  host: Libp2p
  connection: Connection
  frames: EchoFrames
  /** Answers come in the order of the questions. */
  waiting: (() => void)[]
}

const lanes: Lane[] = []

async function connect(address: string): Promise<void> {
  const host = await startBareHost(false)
  const connection = await host.dial(multiaddr(address), { signal: AbortSignal.timeout(60_000) })
  const waiting: (() => void)[] = []
  const stream = await connection.newStream(echoProtocol)
  lanes.push({ host, connection, frames: new EchoFrames(stream, () => waiting.shift()?.()), waiting })
}

const echo = (lane: Lane, frame: Uint8Array): Promise<void> =>
  new Promise((resolve) => {
    lane.waiting.push(resolve)
    lane.frames.send(frame)
  })

const laneOf = (number: number): Lane => {
  const lane = lanes[number]
  if (lane === undefined) throw new Error(`no bare connection ${number}`)
  return lane
}

const methods = {
  /** Gives connections per second. */
  async connect(address: string, count: number): Promise<number> {
    return (await runLoad(count, 8, async () => await connect(address))).perSecond
  },

  /** Each stream echoes a frame per interval, so many times. Gives how many came back. */
  async echoEvery(intervalMs: number, bytes: number, times: number): Promise<number> {
    const frame = Buffer.alloc(bytes, 7)
    await Promise.all(
      lanes.map(async (lane) => {
        await pause(Math.random() * intervalMs)
        for (let time = 0; time < times; time++) {
          await echo(lane, frame)
          await pause(intervalMs)
        }
      })
    )
    return lanes.length * times
  },

  /** Frames of this size over that many streams, with so many in flight on each. */
  async echo(jobs: number, bytes: number, streams: number, inFlight: number): Promise<LoadResult> {
    const frame = Buffer.alloc(bytes, 7)
    return await runLoad(jobs, streams * inFlight, async (_job, lane) => await echo(laneOf(lane % streams), frame))
  },

  /** Frames of this size, one after the other, each over a stream of its own. */
  async echoOnNewStreams(jobs: number, bytes: number): Promise<LoadResult> {
    const { connection } = laneOf(0)
    return await runLoad(jobs, 1, async () => {
      const stream = await connection.newStream(echoProtocol)
      await new Promise<void>((resolve) => {
        new EchoFrames(stream, () => resolve()).send(Buffer.alloc(bytes, 7))
      })
      await stream.close()
    })
  }
}

export type BareClientsMethods = typeof methods

serveMethods(methods, async () => {
  await Promise.all(lanes.map(async ({ host }) => await host.stop()))
})
