import type { Stream } from '@libp2p/interface'
import { expect, it } from 'vitest'
import { RelayStage } from '../../helpers/hosts/relay-members.ts'
import { eventually } from '../../helpers/network.ts'

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

const waitingAt = ({ relay }: RelayStage): number =>
  relay.host
    .getConnections()
    .flatMap(({ streams }) => streams)
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
