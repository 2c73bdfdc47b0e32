/** A frame that is no frame: a length that never ends, an empty one, bytes that do not decode, a stream cut within one. */
export class MalformedFrameError extends Error {
  override readonly name = 'MalformedFrameError'
}

/** A frame announced longer than the protocol allows. */
export class FrameTooLargeError extends Error {
  override readonly name = 'FrameTooLargeError'
}

/** A frame that was begun and not finished: in time, or before its stream was reset. */
export class UnfinishedFrameError extends Error {
  override readonly name = 'UnfinishedFrameError'
}

/** The other side stopped reading. */
export class StalledWriteError extends Error {
  override readonly name = 'StalledWriteError'
}

/** The stream is closed, or ended before what was due had come. */
export class StreamEndedError extends Error {
  override readonly name = 'StreamEndedError'
}

/** More requests than the limit of the protocol. */
export class RateLimitedError extends Error {
  override readonly name = 'RateLimitedError'
  readonly retryAfterMs: number
  constructor(message: string, retryAfterMs: number) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }
}

/** The other side answered a status that means its own failure, or one this version does not know. */
export class RemoteFailureError extends Error {
  override readonly name = 'RemoteFailureError'
  readonly status: number
  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

/** The exchange was not done by its deadline. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/** A frame of an encrypted connection that its key does not open: changed, repeated, left out or moved on the way. */
export class AlteredFrameError extends Error {
  override readonly name = 'AlteredFrameError'
}
