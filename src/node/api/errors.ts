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

/** What the running process answered instead of a result. */
export class ControlError extends Error {
  override readonly name = 'ControlError'
  /** Name of the error class thrown there. */
  readonly remoteName: string
  readonly status: number
  constructor(message: string, remoteName: string, status: number) {
    super(message)
    this.remoteName = remoteName
    this.status = status
  }
}

const statusByName: ReadonlyMap<string, number> = new Map(
  Object.entries<number>({
    ControlInputError: 400,
    InvalidPayloadError: 400,
    InvalidEnvelopeError: 400,
    UnsupportedVersionError: 400,
    AmbiguousNameError: 400,
    NotFoundError: 404,
    NotRootError: 403,
    NotMemberError: 403,
    RevokedError: 403,
    WrongNetworkError: 403,
    NameTakenError: 403,
    InviteRequiredError: 403,
    InviteInvalidError: 403,
    InviteExpiredError: 403,
    InviteUsedError: 403,
    JoinRejectedError: 403,
    DuplicateInstanceError: 403,
    PendingError: 503,
    UnavailableError: 503,
    LimitError: 503,
    TimeoutError: 504,
    AbortError: 504
  })
)

/** HTTP status of an error that the api threw: 500 is a failure of our own, everything else an answer. */
export const httpStatusOf = (error: unknown): number =>
  error instanceof Error ? (statusByName.get(error.name) ?? 500) : 500
