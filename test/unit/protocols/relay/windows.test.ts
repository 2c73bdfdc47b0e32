import type { Stream } from '@libp2p/interface'
import { expect, it } from 'vitest'
import { isCountedApart } from '../../../../src/protocols/engine/waiting-bytes.ts'
import { type End, RelayStage } from '../../../helpers/hosts/relay-members.ts'
import { withSockets } from '../../../helpers/hosts.ts'
import { eventually } from '../../../helpers/network.ts'

withSockets()

const windowUpdate = 1
const windowBytes = 256 * 1024
const crumbBytes = 64
const pieceBytes = 64 * 1024

/** Lets the other side send so many bytes more, which nobody has read. */
const allow = (stream: Stream, bytes: number): void => {
  const sendFrame: unknown = Reflect.get(stream, 'sendFrame')
  const capacity: unknown = Reflect.get(stream, 'recvWindowCapacity')
  if (typeof sendFrame !== 'function' || typeof capacity !== 'number') throw new Error('it is no stream of yamux')
  Reflect.set(stream, 'recvWindowCapacity', capacity + bytes)
  sendFrame({ type: windowUpdate, flag: 0, streamID: Number(stream.id), length: bytes })
}

const waitingAt = ({ relay }: RelayStage, isAsked: (stream: Stream) => boolean = () => true): number =>
  relay.host
    .getConnections()
    .flatMap(({ streams }) => streams)
    .filter(isAsked)
    .reduce((sum, { readBufferLength, writeBufferLength }) => sum + readBufferLength + writeBufferLength, 0)

it('a relay takes from a member no more than the other end has taken, in however small pieces that is', async () => {
  await using stage = await RelayStage.open()
  const { near, far } = await stage.pair()
  far.stream.pause()
  const pour = async (): Promise<void> => {
    while (!near.stream.writableNeedsDrain && near.send(new Uint8Array(pieceBytes))) await new Promise(setImmediate)
  }
  await eventually(async () => {
    await pour()
    return far.stream.readBufferLength > windowBytes - crumbBytes
  })
  for (let crumbs = 0; crumbs < 20 && !far.isOver; crumbs++) {
    await pour()
    const before = far.stream.readBufferLength
    allow(far.stream, crumbBytes)
    await eventually(() => far.isOver || far.stream.readBufferLength >= before + crumbBytes)
  }
  expect(far.isOver).toBe(false)
  expect(waitingAt(stage)).toBeLessThan(1024 * 1024)
})

/** Sends whatever is taken. Gives what stops it, which tells how many bytes that were. */
const pour = ({ stream }: Pick<End, 'stream'>): (() => number) => {
  let sent = 0
  const over = new AbortController()
  const go = (): void => {
    while (!over.signal.aborted && stream.writeStatus === 'writable' && !stream.writableNeedsDrain) {
      sent += pieceBytes
      stream.send(new Uint8Array(pieceBytes))
    }
  }
  stream.addEventListener('drain', () => queueMicrotask(go))
  go()
  return () => {
    over.abort()
    return sent
  }
}

it('ten circuits of one member carry much to one that takes nothing for a while, and none is cut off', async () => {
  const ofPeer = { count: 2 ** 20, perMs: 4_000 }
  await using stage = await RelayStage.open({ limits: { relay: { ofPeer } } })
  const { source, target, near } = await stage.pair()
  const nears = [near]
  while (nears.length < 10) nears.push(await source.open(target))
  await eventually(() => target.brought.length === nears.length)
  for (const { stream } of target.brought) stream.pause()
  const pours = nears.map(pour)
  // Twice what may have come of one member on its other streams.
  await eventually(() => waitingAt(stage) > 10 * 230 * 1024)
  // Of that nothing counts as bytes of their connections, which would be closed.
  expect(waitingAt(stage, (stream) => !isCountedApart(stream))).toBe(0)
  const sent = pours.reduce((sum, stop) => sum + stop(), 0)
  for (const { stream } of target.brought) stream.resume()
  await eventually(() => target.brought.reduce((sum, { bytes }) => sum + bytes, 0) === sent)
  expect(stage.relay.trust.culprits.counts).toEqual([])
})
