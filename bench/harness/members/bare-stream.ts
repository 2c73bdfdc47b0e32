import type { Libp2p, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { startBareHost } from './bare-host.ts'

const bytesProtocol = '/bench/bytes/1.0.0'
const backProtocol = '/bench/back/1.0.0'
const pieceBytes = 256 * 1024
const mebibyte = 1024 ** 2

/** The first bytes of a connection over which so many are wanted. */
export function askFor(bytes: number): Buffer {
  const question = Buffer.alloc(8)
  question.writeBigUInt64BE(BigInt(bytes))
  return question
}

export const askedFor = (question: Uint8Array): number => Number(Buffer.from(question).readBigUInt64BE())

async function sendBytes(stream: Stream, bytes: number): Promise<void> {
  const piece = Buffer.alloc(pieceBytes, 7)
  for (let left = bytes; left > 0; left -= piece.byteLength) {
    if (!stream.send(piece)) await new Promise((resolve) => stream.addEventListener('drain', resolve, { once: true }))
  }
  await stream.close()
}

/** Starts a host that sends bytes that were asked for over a stream, or sends back what comes, and nothing else. */
export async function startBareServer(): Promise<{ host: Libp2p; address: string }> {
  const host = await startBareHost(true)
  await host.handle(bytesProtocol, (stream) => {
    stream.addEventListener('message', (event) => void sendBytes(stream, askedFor(event.data.subarray())))
  })
  await host.handle(backProtocol, (stream) => {
    stream.addEventListener('message', (event) => {
      stream.send(event.data)
    })
  })
  return { host, address: host.getMultiaddrs()[0]?.toString() ?? '' }
}

/** Asks a bare host for bytes over one stream. Gives MiB per second. */
export async function receiveBare(address: string, bytes: number): Promise<number> {
  const client = await startBareHost(false)
  const connection = await client.dial(multiaddr(address))
  const stream = await connection.newStream(bytesProtocol)
  const from = performance.now()
  let came = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  stream.addEventListener('message', (event) => {
    came += event.data.byteLength
    if (came >= bytes) resolve()
  })
  stream.send(askFor(bytes))
  await promise
  const perSecond = bytes / mebibyte / ((performance.now() - from) / 1_000)
  await client.stop()
  return perSecond
}

/** Sends so many bytes to a bare host and waits for them, one round after the other. Gives the time of each, ms. */
export async function tripsBare(address: string, count: number, bytes: number): Promise<number[]> {
  const client = await startBareHost(false)
  const connection = await client.dial(multiaddr(address))
  const stream = await connection.newStream(backProtocol)
  let back = Promise.withResolvers<void>()
  let came = 0
  stream.addEventListener('message', (event) => {
    came += event.data.byteLength
    if (came % bytes === 0) back.resolve()
  })
  const message = Buffer.alloc(bytes, 1)
  const took: number[] = []
  for (let trip = 0; trip < count; trip++) {
    back = Promise.withResolvers<void>()
    const from = performance.now()
    stream.send(message)
    await back.promise
    took.push(performance.now() - from)
  }
  await client.stop()
  return took
}
