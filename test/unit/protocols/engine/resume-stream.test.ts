import { yamux } from '@chainsafe/libp2p-yamux'
import type { Stream } from '@libp2p/interface'
import { StreamStateError } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { expect, it } from 'vitest'
import { resumeStream } from '../../../../src/protocols/engine/resume-stream.ts'

/** A stream that is paused with bytes in it, on a connection that closes. */
const onClosing = async (): Promise<{ stream: Stream; given: number[] }> => {
  const [here, there] = multiaddrConnectionPair()
  const factory = yamux()()
  const [muxer, other] = [factory.createStreamMuxer(here), factory.createStreamMuxer(there)]
  const came = new Promise<Stream>((resolve) => other.addEventListener('stream', ({ detail }) => resolve(detail)))
  const sender = await muxer.createStream()
  sender.send(new Uint8Array(300 * 1024))
  const stream = await came
  const given: number[] = []
  stream.addEventListener('message', ({ data }) => given.push(data.byteLength))
  stream.pause()
  await expect.poll(() => stream.readBufferLength).toBeGreaterThan(0)
  given.splice(0)
  Object.assign(there, { writeStatus: 'closing' })
  return { stream, given }
}

it('gives what waited on a stream whose connection closes, and throws nothing from a timer', async () => {
  const { stream, given } = await onClosing()
  resumeStream(stream)
  expect(given.length).toBeGreaterThan(0)
  resumeStream(stream)
})

it('does so where the stream itself would throw', async () => {
  const { stream } = await onClosing()
  expect(() => stream.resume()).toThrow(StreamStateError)
})
