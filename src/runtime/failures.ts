/** All that a remote is ever told of a failure. The numbers are on the wire. */
export const statuses = {
  OK: 0,
  MALFORMED: 1,
  TOO_LARGE: 2,
  RATE_LIMITED: 3,
  WRONG_NETWORK: 4,
  UNSUPPORTED_VERSION: 5,
  NOT_MEMBER: 6,
  REVOKED: 7,
  PENDING: 8,
  INVALID: 9,
  STALE: 10,
  NAME_TAKEN: 11,
  INVITE_REQUIRED: 12,
  INVITE_INVALID: 13,
  INVITE_EXPIRED: 14,
  INVITE_USED: 15,
  REJECTED: 16,
  UNAVAILABLE: 17,
  DUPLICATE_INSTANCE: 18,
  NOT_FOUND: 19,
  INTERNAL: 20,
  NOT_ROOT: 21
} as const

/** Meaning of a failure for whoever asked: the status of an HTTP answer, and the name of the exit code of a command. */
const outcomes = {
  invalid: { http: 400, exit: 'usage' },
  refused: { http: 403, exit: 'refused' },
  missing: { http: 404, exit: 'noMatch' },
  unavailable: { http: 503, exit: 'timeout' },
  late: { http: 504, exit: 'timeout' },
  /** Configuration, or what the machine lacks: the operator changes something and tries again. */
  setup: { http: 500, exit: 'usage' },
  idle: { http: 500, exit: 'notRunning' },
  internal: { http: 500, exit: 'failure' }
} as const

export type ExitName = (typeof outcomes)[keyof typeof outcomes]['exit']

export interface Failure {
  /** For programs: in the errors of the API and of `--json`. */
  readonly code: string
  readonly outcome: keyof typeof outcomes
  /** INTERNAL where it is missing: its text stays in the local log. */
  readonly wire?: keyof typeof statuses
  /** The answer stays the same until an operator does something. */
  readonly isForGood?: true
}

const internal: Failure = { code: 'INTERNAL', outcome: 'internal' }

/** Every error that means something to others, by the name of its class. */
const failures: ReadonlyMap<string, Failure> = new Map(
  Object.entries<Failure>({
    InvalidEnvelopeError: { code: 'INVALID_ENVELOPE', outcome: 'invalid', wire: 'INVALID' },
    InvalidPayloadError: { code: 'INVALID', outcome: 'invalid', wire: 'INVALID' },
    ControlInputError: { code: 'BAD_REQUEST', outcome: 'invalid' },
    AmbiguousNameError: { code: 'AMBIGUOUS_NAME', outcome: 'invalid' },
    UnsupportedVersionError: { code: 'UNSUPPORTED_VERSION', outcome: 'invalid', wire: 'UNSUPPORTED_VERSION' },
    MalformedFrameError: { code: 'MALFORMED', outcome: 'internal', wire: 'MALFORMED' },
    FrameTooLargeError: { code: 'TOO_LARGE', outcome: 'internal', wire: 'TOO_LARGE' },
    LogMismatchError: { code: 'LOG_MISMATCH', outcome: 'internal', wire: 'INVALID' },
    StaleRecordError: { code: 'STALE', outcome: 'internal', wire: 'STALE' },

    WrongNetworkError: { code: 'WRONG_NETWORK', outcome: 'refused', wire: 'WRONG_NETWORK' },
    NotMemberError: { code: 'NOT_MEMBER', outcome: 'refused', wire: 'NOT_MEMBER' },
    NotRootError: { code: 'NOT_ROOT', outcome: 'refused', wire: 'NOT_ROOT' },
    AccessError: { code: 'NO_ACCESS', outcome: 'refused' },
    ProviderRefusedError: { code: 'PROVIDER_REFUSED', outcome: 'refused' },
    RevokedError: { code: 'REVOKED', outcome: 'refused', wire: 'REVOKED', isForGood: true },
    NameTakenError: { code: 'NAME_TAKEN', outcome: 'refused', wire: 'NAME_TAKEN', isForGood: true },
    InviteRequiredError: { code: 'INVITE_REQUIRED', outcome: 'refused', wire: 'INVITE_REQUIRED', isForGood: true },
    InviteInvalidError: { code: 'INVITE_INVALID', outcome: 'refused', wire: 'INVITE_INVALID', isForGood: true },
    InviteExpiredError: { code: 'INVITE_EXPIRED', outcome: 'refused', wire: 'INVITE_EXPIRED', isForGood: true },
    InviteUsedError: { code: 'INVITE_USED', outcome: 'refused', wire: 'INVITE_USED', isForGood: true },
    JoinRejectedError: { code: 'REJECTED', outcome: 'refused', wire: 'REJECTED', isForGood: true },
    DuplicateInstanceError: {
      code: 'DUPLICATE_INSTANCE',
      outcome: 'refused',
      wire: 'DUPLICATE_INSTANCE',
      isForGood: true
    },

    NotFoundError: { code: 'NOT_FOUND', outcome: 'missing', wire: 'NOT_FOUND' },

    PendingError: { code: 'PENDING', outcome: 'unavailable', wire: 'PENDING' },
    UnavailableError: { code: 'UNAVAILABLE', outcome: 'unavailable', wire: 'UNAVAILABLE' },
    LimitError: { code: 'LIMIT', outcome: 'unavailable', wire: 'RATE_LIMITED' },
    ProviderUnreachableError: { code: 'PROVIDER_UNREACHABLE', outcome: 'unavailable' },
    RateLimitedError: { code: 'RATE_LIMITED', outcome: 'internal', wire: 'RATE_LIMITED' },
    // A root whose log has two histories appends nothing until the next epoch.
    ForkError: { code: 'FORK', outcome: 'internal', wire: 'UNAVAILABLE' },
    // A full or failing disk: what was asked for was not done, and another registry may do it.
    StoreError: { code: 'STORE_FAILED', outcome: 'internal', wire: 'UNAVAILABLE' },
    TimeoutError: { code: 'TIMEOUT', outcome: 'late' },
    AbortError: { code: 'TIMEOUT', outcome: 'late' },

    NothingRunningError: { code: 'NOT_RUNNING', outcome: 'idle' },
    UsageError: { code: 'USAGE', outcome: 'setup' },
    AddressSpellingError: { code: 'ADDRESS', outcome: 'setup' },
    ConfigError: { code: 'CONFIG', outcome: 'setup' },
    OperatorError: { code: 'MACHINE', outcome: 'setup' },
    KeyFileError: { code: 'KEY_FILE', outcome: 'setup' },
    AlreadyRunningError: { code: 'ALREADY_RUNNING', outcome: 'setup' },
    PortTakenError: { code: 'PORT_TAKEN', outcome: 'setup' },
    StoreInUseError: { code: 'STORE_IN_USE', outcome: 'setup' },
    UnfitFileError: { code: 'UNFIT_FILE', outcome: 'setup' },
    StoreVersionError: { code: 'STORE_VERSION', outcome: 'setup' }
  })
)

/** The row of an error: INTERNAL for one that has none, which is a fault of this program or of its machine. */
export const failureOf = (error: unknown): Failure => (error instanceof Error ? failureNamed(error.name) : internal)

/** The row of the class of that name. */
export const failureNamed = (name: string): Failure => failures.get(name) ?? internal

export const httpStatusOf = (error: unknown): number => outcomes[failureOf(error).outcome].http
export const exitNameOf = (error: unknown): ExitName => outcomes[failureOf(error).outcome].exit

/** Tells whether it will be the same in a moment: only an operator changes it. */
export const isForGood = (error: Error): boolean => failureOf(error).isForGood === true
