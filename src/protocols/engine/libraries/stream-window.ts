import type { Stream } from '@libp2p/interface'

/**
 * Makes the window of a yamux stream so many bytes: the other side sends as much before it has to wait for an answer, from the first one on.
 * For a stream whose reader takes at once what comes: all of it may wait in memory otherwise.
 */
export function widenWindow(stream: Stream, bytes: number): void {
  // No part of the interface: without it the window stays as it is, and the stream is slower over long ways.
  if (!('recvWindow' in stream)) return
  Object.assign(stream, { recvWindow: bytes, maxStreamWindowSize: bytes, maxReadBufferLength: bytes + bytes / 4 })
}

/** Changes a window that was widened to no more bytes than it was widened to. A smaller one counts when what was allowed before has come. */
export function changeWindow(stream: Stream, bytes: number): void {
  if ('recvWindow' in stream) Object.assign(stream, { recvWindow: bytes, maxStreamWindowSize: bytes })
}

/** The parts of a yamux stream that are used. */
interface Windowed {
  recvWindow: number
  recvWindowCapacity: number
  state: number
  sendWindowUpdate(): void
}

/** Number of the state of a stream that is open both ways. */
const established = 3

/**
 * Widens the window of a stream, and answers only when half of it is used up: yamux answers every frame, which for a keystroke is a second
 * frame to encrypt, to send and to count.
 */
export function lazyWindow(stream: Stream, bytes: number): void {
  widenWindow(stream, bytes)
  if (!isWindowed(stream)) return
  const update = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    if (stream.state !== established || stream.recvWindowCapacity < stream.recvWindow / 2) update()
  }
}

const isWindowed = (stream: Stream): stream is Stream & Windowed =>
  'sendWindowUpdate' in stream && 'recvWindowCapacity' in stream && 'state' in stream

/** Size of the window that every stream begins with. */
const dataFrameBytes = 256 * 1024

/**
 * Sends no data frame that is longer than an ordinary window, however wide the other side has made its own: yamux sends in one frame all that
 * has gathered, and a frame that is longer ends the connection there.
 */
export function boundDataFrames(stream: Stream): void {
  if (!('maxMessageSize' in stream)) return
  let most = stream.maxMessageSize
  Object.defineProperty(stream, 'maxMessageSize', {
    configurable: true,
    enumerable: true,
    get: () => (typeof most === 'number' ? Math.min(most, dataFrameBytes) : dataFrameBytes),
    set: (bytes: unknown) => {
      most = bytes
    }
  })
}
