import type { Logger, MultiaddrConnection, Stream } from '@libp2p/interface'
import { streamPair } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { componentLogger } from '../../../../src/node/host/component-logger.ts'
import { AlteredFrameError } from '../../../../src/protocols/engine/errors.ts'
import { circuitConnection } from '../../../../src/protocols/relay/circuit-connection.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'

const log: Logger = componentLogger({ ...silentLogger, isLevelEnabled: () => false }).forComponent('test')
const remoteAddr = multiaddr('/ip6/2001:db8::1/tcp/9000')

/** A connection over a stream, with the other end of that. */
const scene = async (
  rest = ''
): Promise<{
  connection: MultiaddrConnection
  stream: Stream
  far: Stream
  read: () => string
  altered: () => number
}> => {
  const [far, stream] = await streamPair()
  stream.pause()
  let altered = 0
  const onAltered = (): void => void altered++
  const init = { stream, rest: Buffer.from(rest), direction: 'inbound', remoteAddr, log, onAltered } as const
  const connection = circuitConnection(init)
  const parts: Uint8Array[] = []
  connection.addEventListener('message', ({ data }) => parts.push(data.subarray()))
  return { connection, stream, far, read: () => Buffer.concat(parts).toString(), altered: () => altered }
}

test('bytes go both ways, those first that came before the connection was made', async () => {
  const { connection, far, read } = await scene('first ')
  far.send(Buffer.from('second'))
  await expect.poll(read).toBe('first second')
  const heard: Uint8Array[] = []
  far.addEventListener('message', ({ data }) => heard.push(data.subarray()))
  connection.send(Buffer.from('back'))
  await expect.poll(() => Buffer.concat(heard).toString()).toBe('back')
  expect(connection).toMatchObject({ direction: 'inbound', remoteAddr, status: 'open' })
})

test('an end of the other side ends it on this side, too', async () => {
  const { connection, far } = await scene()
  const closed = new Promise((resolve) => connection.addEventListener('close', resolve, { once: true }))
  await far.close()
  await closed
  expect(connection.status).toBe('closed')
})

test('a reset of the stream is one of the connection', async () => {
  const { connection, far } = await scene()
  const closed = new Promise<Error | undefined>((resolve) =>
    connection.addEventListener('close', ({ error }) => resolve(error), { once: true })
  )
  far.abort(new Error('the relay gave it up'))
  expect(await closed).toBeInstanceOf(Error)
  expect(connection.status).not.toBe('open')
})

test('a reset of the connection is one of the stream', async () => {
  const { connection, far } = await scene()
  const closed = new Promise((resolve) => far.addEventListener('close', resolve, { once: true }))
  connection.abort(new Error('nobody answers'))
  await closed
  expect(far.status).not.toBe('open')
})

test.each([
  ['bytes that were changed on the way', new AlteredFrameError('a frame was changed'), 1],
  ['anything else', new Error('nobody answers'), 0]
])('that it ends for %s is told, or not: %s, %i times', async (_what, error, times) => {
  const { connection, altered } = await scene()
  connection.abort(error)
  expect(altered()).toBe(times)
})

test('what pauses it pauses the stream, and what resumes it lets the bytes come that waited', async () => {
  const { connection, stream, far, read } = await scene()
  connection.pause()
  expect(stream.readStatus).toBe('paused')
  far.send(Buffer.from('later'))
  await new Promise(setImmediate)
  expect(read()).toBe('')
  connection.resume()
  await expect.poll(read).toBe('later')
})

test('over a stream that has ended meanwhile it is closed from the beginning', async () => {
  const [, stream] = await streamPair()
  stream.pause()
  stream.abort(new Error('gone'))
  const init = { stream, rest: new Uint8Array(), direction: 'outbound', remoteAddr, log, onAltered: () => {} } as const
  const connection = circuitConnection(init)
  expect(connection.status).not.toBe('open')
})
