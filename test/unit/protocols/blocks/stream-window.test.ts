import { yamux } from '@chainsafe/libp2p-yamux'
import type { Stream } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { yamuxInit } from '../../../../src/node/host/libp2p.ts'
import { boundDataFrames, widenWindow } from '../../../../src/protocols/engine/libraries/stream-window.ts'
import { defaultLimits } from '../../../../src/protocols/engine/limits.ts'
import { ceilingMs } from '../../../helpers/ceiling.ts'

const { windowBytes } = defaultLimits.blocks
const ends: (() => void)[] = []

afterEach(() => {
  for (const end of ends.splice(0)) end()
})

/** Both ends of a stream of yamux, with the options of the product. */
async function openStream(): Promise<{ reader: Stream; writer: Stream }> {
  const [near, far] = multiaddrConnectionPair({ delay: 1, capacity: 64 })
  const [mine, theirs] = [near, far].map((wire) => yamux(yamuxInit)().createStreamMuxer(wire))
  if (mine === undefined || theirs === undefined) throw new Error('there are two ends')
  ends.push(() => {
    for (const end of [mine, theirs, near, far]) end.abort(new Error('the test is over'))
  })
  const { promise, resolve } = Promise.withResolvers<Stream>()
  theirs.addEventListener('stream', ({ detail }) => resolve(detail))
  const reader = await mine.createStream()
  return { reader, writer: await promise }
}

describe('the window of a stream', () => {
  test('has the fields in yamux that it is widened by', async () => {
    const { reader } = await openStream()
    for (const field of ['recvWindow', 'maxStreamWindowSize', 'maxReadBufferLength']) {
      expect(Reflect.get(reader, field), field).toBeTypeOf('number')
    }
  })

  test('is what the other side sends before it waits, once it is widened', async () => {
    const { reader, writer } = await openStream()
    widenWindow(reader, windowBytes)
    await new Promise((resolve) => {
      reader.addEventListener('message', () => setImmediate(resolve), { once: true })
      writer.send(new Uint8Array(1))
    })
    reader.pause()
    writer.send(new Uint8Array(windowBytes))
    await vi.waitFor(() => expect(reader.readBufferLength).toBe(windowBytes), { timeout: ceilingMs })
  })

  test.each([true, false])(
    'is filled with data frames that the guard of a connection takes, where they are bounded: %s',
    async (isBounded) => {
      const { reader, writer } = await openStream()
      if (isBounded) boundDataFrames(writer)
      widenWindow(reader, windowBytes)
      const frames: number[] = []
      const handle: (frame: { data: Uint8Array }) => void = Reflect.get(reader, 'handleData').bind(reader)
      Reflect.set(reader, 'handleData', (frame: { data: Uint8Array }) => {
        frames.push(frame.data.byteLength)
        handle(frame)
      })
      await new Promise((resolve) => {
        reader.addEventListener('message', () => setImmediate(resolve), { once: true })
        writer.send(new Uint8Array(1))
      })
      let came = 0
      reader.addEventListener('message', ({ data }) => (came += data.byteLength))
      writer.send(new Uint8Array(windowBytes))
      await vi.waitFor(() => expect(came).toBe(windowBytes), { timeout: ceilingMs })
      expect(Math.max(...frames) <= defaultLimits.connection.frameBytes).toBe(isBounded)
    }
  )
})
