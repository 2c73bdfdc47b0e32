import { failureNamed } from '../../runtime/failures.ts'

/** No process listens on that control socket. */
export class NothingRunningError extends Error {
  override readonly name = 'NothingRunningError'
}

/** Another process already listens on the control socket of that name. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError'
}

/** A request that is no request: unknown route, wrong fields, too large. */
export class ControlInputError extends Error {
  override readonly name = 'ControlInputError'
}

/** Error that the running process answered instead of a result. */
export class ControlError extends Error {
  override readonly name = 'ControlError'
  /** Name of the error class thrown there. */
  readonly remoteName: string
  readonly status: number
  /** For programs: `NOT_FOUND`. */
  readonly code: string
  constructor(message: string, remoteName: string, status: number, code = failureNamed(remoteName).code) {
    super(message)
    this.remoteName = remoteName
    this.status = status
    this.code = code
  }
}
