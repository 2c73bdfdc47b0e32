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
