import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { defaultLimits } from '../../../src/protocols/engine/limits.ts'
import { statuses } from '../../../src/protocols/engine/status.ts'
import { Hello as HelloMessage } from '../../../src/protocols/hello/pb/hello.ts'
import { exchange } from '../../helpers/hosts/hello-hosts.ts'
import { startPlainHost } from '../../helpers/hosts.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

const fast = '1000/1s'
let network: TestNetwork
let hostile: Libp2p
let witness: TrustNode
let connection: Connection
let lost = 0

/** A real root, a member that misbehaves, and one that must notice nothing of it. */
beforeAll(async () => {
  network = await TestNetwork.create({
    'protocols.hello.rate': fast,
    'protocols.register.opens': fast,
    'protocols.sync.rate': fast,
    'protocols.stream.frame': '1s'
  })
  const joined = await network.join('hostile')
  await joined.stop('its key goes on in a program of its own')
  witness = await network.join('witness')
  // Without handlers, whose limits would bind its own streams, too.
  hostile = await startPlainHost({ privateKey: joined.key.toLibp2p() })
  connection = await hostile.dial(multiaddr(network.address('root')))
  const { networkId } = network.node('root').attached.registry
  expect((await exchange(connection, HelloMessage.encode({ version: 1, networkId }))).status).toBe(statuses.OK)
  await eventually(() => witness.attached.session !== undefined)
  void witness.attached.session?.session.closed.then(() => lost++)
})
afterAll(async () => {
  await hostile.stop()
  await network[Symbol.asyncDispose]()
})

const protocols: [string, number, number][] = [
  ['hello', defaultLimits.hello.frameBytes, defaultLimits.hello.streams],
  ['register', defaultLimits.register.frameBytes, defaultLimits.register.streams],
  ['sync', defaultLimits.sync.requestBytes, defaultLimits.sync.streams],
  ['lookup', defaultLimits.lookup.requestBytes, defaultLimits.lookup.streams],
  ['probe', defaultLimits.probe.requestBytes, defaultLimits.probe.streams]
]

const open = (name: string): Promise<Stream> =>
  connection.newStream(`/trustnet/${name}/1.0.0`, { maxOutboundStreams: 1_000 })

/** How a stream ends after these bytes: with an answer of so many bytes, or reset. */
async function endOf(stream: Stream, bytes: Uint8Array, closes = false): Promise<{ said: number; reset: boolean }> {
  let said = 0
  const ended = new Promise<boolean>((resolve) => {
    stream.addEventListener('message', ({ data }) => {
      said += data.byteLength
    })
    stream.addEventListener('remoteCloseWrite', () => resolve(false))
    stream.addEventListener('close', ({ error }) => resolve(error !== undefined))
  })
  stream.send(bytes)
  if (closes) await stream.close().catch(() => {})
  const reset = await ended
  if (stream.status === 'open') stream.abort(new Error('done'))
  return { said, reset }
}

const varint = (length: number): number[] => [(length & 0x7f) | 0x80, ((length >>> 7) & 0x7f) | 0x80, length >>> 14]

describe.each(protocols)('%s, of a member that misbehaves', (name, frameBytes, streams) => {
  it('answers garbage with a short refusal', async () => {
    const { said, reset } = await endOf(await open(name), Uint8Array.of(3, 0xff, 0xff, 0xff))
    expect(reset).toBe(false)
    expect(said).toBeGreaterThan(1)
    expect(said).toBeLessThan(64)
  })

  it.each([
    ['that is cut', Uint8Array.of(10, 1, 2), true],
    ['that is announced too long', Uint8Array.from(varint(frameBytes + 1)), false],
    ['without an end of its length', new Uint8Array(8).fill(0xff), false],
    ['of nothing', Uint8Array.of(0), false]
  ])('resets a stream with a frame %s, at once', async (_what, bytes, closes) => {
    const took: number[] = []
    for (let tries = 0; tries < 3; tries++) {
      const begun = performance.now()
      expect(await endOf(await open(name), bytes, closes)).toEqual({ said: 0, reset: true })
      took.push(performance.now() - begun)
    }
    // Otherwise it would be its time that ended each, a busy machine beside.
    expect(Math.min(...took)).toBeLessThan(900)
  })

  it('resets a stream with a frame that is not finished in time', async () => {
    expect(await endOf(await open(name), Uint8Array.of(10, 1, 2))).toEqual({ said: 0, reset: true })
  })

  it('has no more streams at a time than allowed', async () => {
    const opened = await Promise.allSettled(Array.from({ length: streams + 8 }, () => open(name)))
    const made = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    const alive = () => made.filter(({ status }) => status === 'open').length
    // Before any deadline ends those that say nothing.
    await eventually(() => alive() <= streams)
    for (const stream of made) stream.abort(new Error('done'))
  })

  it('keeps the connection, and the other member notices nothing', () => {
    expect([connection.status, lost]).toEqual(['open', 0])
    expect(witness.attached.session).toBeDefined()
  })
})
