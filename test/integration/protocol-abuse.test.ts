import type { Connection, Stream } from '@libp2p/interface'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TrustNode } from '../../src/node/node.ts'
import { defaultLimits } from '../../src/protocols/engine/limits.ts'
import { eventually, TestNetwork } from '../helpers/network.ts'

const fast = '1000/1s'
let network: TestNetwork
let member: TrustNode
let witness: TrustNode
let connection: Connection
let lost = 0

/** A real root, a member that misbehaves, and one that must notice nothing of it. */
beforeAll(async () => {
  network = await TestNetwork.create({
    'protocols.hello.rate': fast,
    'protocols.register.opens': fast,
    'protocols.sync.rate': fast,
    'protocols.sync.request': '300ms',
    'protocols.stream.frame': '300ms',
    'protocols.register.request': '1s'
  })
  member = await network.join('hostile')
  witness = await network.join('witness')
  const root = network.node('root').attached.host.peerId
  const [found] = member.attached.host.getConnections(root)
  if (found === undefined) throw new Error('a member has a connection to its registry')
  connection = found
  await eventually(() => witness.attached.session !== undefined)
  void witness.attached.session?.session.closed.then(() => lost++)
}, 40_000)
afterAll(() => network[Symbol.asyncDispose]())

const protocols: [string, number, number][] = [
  ['hello', defaultLimits.hello.frameBytes, defaultLimits.hello.streams],
  ['register', defaultLimits.register.frameBytes, defaultLimits.register.streams],
  ['sync', defaultLimits.sync.requestBytes, defaultLimits.sync.streams],
  ['lookup', defaultLimits.lookup.requestBytes, defaultLimits.lookup.streams]
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
    ['that is not finished in time', Uint8Array.of(10, 1, 2), false],
    ['that is announced too long', Uint8Array.from(varint(frameBytes + 1)), false],
    ['without an end of its length', new Uint8Array(8).fill(0xff), false],
    ['of nothing', Uint8Array.of(0), false]
  ])('resets a stream with a frame %s', async (_what, bytes, closes) => {
    expect(await endOf(await open(name), bytes, closes)).toEqual({ said: 0, reset: true })
  })

  it('has no more streams at a time than allowed', async () => {
    const opened = await Promise.allSettled(Array.from({ length: streams + 8 }, () => open(name)))
    const made = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    const alive = () => made.filter(({ status }) => status === 'open').length
    await eventually(() => alive() <= streams)
    for (const stream of made) stream.abort(new Error('done'))
  })

  it('keeps the connection, and the other member notices nothing', () => {
    expect([connection.status, lost]).toEqual(['open', 0])
    expect(witness.attached.session).toBeDefined()
  })
})
