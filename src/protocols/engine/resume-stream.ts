import { type Stream, StreamStateError } from '@libp2p/interface'

/**
 * Goes on reading a stream that was paused; nothing where it was not. A muxer tells the other side so, which throws while the connection
 * closes: what waited here has been given by then, and the end of the connection is told to whoever reads.
 */
export function resumeStream(stream: Stream): void {
  if (stream.readStatus !== 'paused') return
  try {
    stream.resume()
  } catch (error) {
    if (!(error instanceof StreamStateError)) throw error
  }
}
