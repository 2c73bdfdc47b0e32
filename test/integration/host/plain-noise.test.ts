import { randomBytes } from 'node:crypto'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type NetHost, netHost } from '../../helpers/hosts/net-hosts.ts'
import { connect, startPlainHost, withSockets } from '../../helpers/hosts.ts'

withSockets()

const protocol = '/test/back/1.0.0'
/** Around the lengths at which Noise, its library and ours do something else. */
const sizes = [1, 1_199, 1_200, 4_067, 4_068, 4_080, 4_096, 65_507, 65_508, 65_535, 65_536, 200_000]

/** Sends the bytes in one call, and gives what comes back. */
async function back(stream: Stream, bytes: Uint8Array): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const came: Uint8Array[] = []
  let length = 0
  stream.addEventListener('message', ({ data }) => {
    came.push(data.subarray())
    length += data.byteLength
    if (length >= bytes.byteLength) resolve(Buffer.concat(came))
  })
  stream.addEventListener('close', () => reject(new Error('the stream was closed')))
  stream.send(bytes)
  return await promise
}

describe('a host whose Noise is that of its library', () => {
  let ours: NetHost
  let plain: Libp2p

  beforeEach(async () => {
    ours = await netHost({ guarded: true })
    plain = await startPlainHost()
    for (const host of [ours.libp2p, plain])
      await host.handle(protocol, (stream) => {
        stream.addEventListener('message', ({ data }) => {
          stream.send(data)
        })
      })
  })

  afterEach(async () => {
    await plain.stop()
    await ours[Symbol.asyncDispose]()
  })

  it.each<[string, () => Promise<Connection>]>([
    ['calls', async () => await plain.dial(multiaddr(ours.address))],
    ['is called', async () => await connect(ours.libp2p, plain)]
  ])(
    'is understood, and understands, when it %s: frames of any length, on several streams at once',
    async (_, dial) => {
      const connection = await dial()
      const sent = sizes.map((size) => randomBytes(size))
      const streams: Stream[] = []
      // One after the other: a muxer that nobody listens to yet takes ten.
      for (let opened = 0; opened < sizes.length; opened++) streams.push(await connection.newStream(protocol))
      const came = await Promise.all(streams.map(async (stream, at) => await back(stream, sent[at] ?? Buffer.alloc(0))))
      expect(came.map((bytes, at) => sent[at]?.equals(bytes))).toEqual(sizes.map(() => true))
    }
  )
})
