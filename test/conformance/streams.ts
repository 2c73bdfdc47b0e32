import type { Connection } from '@libp2p/interface'
import { FrameStream } from '../../src/protocols/engine/frames.ts'
import { limitsWith } from '../../src/protocols/engine/limits.ts'

const limits = limitsWith()
const maxFrame = 262_144
export const patienceMs = 10_000
export const id = (protocol: string): string => `/trustnet/${protocol}/1.0.0`

/** One stream, with a question on it; what comes back is read frame by frame. */
export async function open(connection: Connection, protocol: string): Promise<FrameStream> {
  const stream = await connection.newStream(id(protocol), { signal: AbortSignal.timeout(patienceMs) })
  return new FrameStream(stream, { maxFrame, limits: limits.stream })
}

export async function read(frames: FrameStream): Promise<Uint8Array> {
  const frame = await frames.read({ signal: AbortSignal.timeout(patienceMs) })
  if (frame === undefined) throw new Error('the stream ended without an answer')
  return frame
}

/** Asks one question on a stream of its own. */
export async function ask(connection: Connection, protocol: string, question: Uint8Array): Promise<Uint8Array> {
  const frames = await open(connection, protocol)
  try {
    await frames.write(question)
    return await read(frames)
  } finally {
    await frames.close().catch(() => {})
  }
}

type Outcome = 'reset' | 'closed' | 'ended' | 'answered' | 'silence'

/**
 * Tells what becomes of a stream on which something is said: it is reset; its connection is closed; it ends in order; something comes; or nothing
 * happens for so long.
 */
export async function outcomeOf(connection: Connection, protocol: string, said: Uint8Array): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const onClosed = (): void => resolve('closed')
  connection.addEventListener('close', onClosed)
  const timer = setTimeout(() => resolve('silence'), patienceMs)
  const ofError = (error: unknown): Outcome => {
    if (connection.status !== 'open') return 'closed'
    if (error instanceof Error && error.name === 'StreamResetError') return 'reset'
    throw error
  }
  try {
    const stream = await connection.newStream(protocol, { signal: AbortSignal.timeout(patienceMs) })
    stream.addEventListener('message', () => resolve('answered'))
    stream.addEventListener('remoteCloseWrite', () => resolve('ended'))
    stream.addEventListener('close', ({ error }) => resolve(error === undefined ? 'ended' : ofError(error)))
    // What happened before anybody listened.
    if (stream.status === 'reset') return 'reset'
    if (stream.readableEnded || stream.status === 'closed') return 'ended'
    stream.send(said)
    return await promise
  } catch (error) {
    return ofError(error)
  } finally {
    clearTimeout(timer)
    connection.removeEventListener('close', onClosed)
  }
}

/** A short frame on the wire. */
export const framed = (message: Uint8Array): Uint8Array => Uint8Array.of(message.length, ...message)
