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
  NOT_ROOT: 21,
  NOT_OPERATOR: 22,
  SECOND_OPERATOR: 23,
  CHANGED: 24,
  NOT_ALLOWED: 25,
  NOT_EXPOSED: 26
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
  /** Reach of a refusal: this request whenever it is sent again, or whatever is asked until an operator does something. Missing: a later try may do. */
  readonly refuses?: 'request' | 'forGood'
  /** A stranger that is told so has shown a proof that is none. */
  readonly isFailedProof?: true
}

const internal: Failure = { code: 'INTERNAL', outcome: 'internal' }

/** Every error that means something to others, by the name of its class. */
const failures: ReadonlyMap<string, Failure> = new Map(
  Object.entries<Failure>({
    InvalidEnvelopeError: {
      code: 'INVALID_ENVELOPE',
      outcome: 'invalid',
      wire: 'INVALID',
      refuses: 'request',
      isFailedProof: true
    },
    InvalidPayloadError: {
      code: 'INVALID',
      outcome: 'invalid',
      wire: 'INVALID',
      refuses: 'request',
      isFailedProof: true
    },
    ControlInputError: { code: 'BAD_REQUEST', outcome: 'invalid' },
    AddressSpellingError: { code: 'ADDRESS', outcome: 'invalid' },
    AmbiguousNameError: { code: 'AMBIGUOUS_NAME', outcome: 'invalid' },
    UnsupportedVersionError: {
      code: 'UNSUPPORTED_VERSION',
      outcome: 'invalid',
      wire: 'UNSUPPORTED_VERSION',
      refuses: 'request'
    },
    MalformedFrameError: { code: 'MALFORMED', outcome: 'internal', wire: 'MALFORMED' },
    FrameTooLargeError: { code: 'TOO_LARGE', outcome: 'internal', wire: 'TOO_LARGE' },
    LogMismatchError: { code: 'LOG_MISMATCH', outcome: 'internal', wire: 'INVALID' },
    StaleRecordError: { code: 'STALE', outcome: 'internal', wire: 'STALE' },

    WrongNetworkError: {
      code: 'WRONG_NETWORK',
      outcome: 'refused',
      wire: 'WRONG_NETWORK',
      refuses: 'request',
      isFailedProof: true
    },
    // Its host has a key that the pin does not name.
    PinMismatchError: { code: 'WRONG_NETWORK', outcome: 'refused' },
    NotMemberError: {
      code: 'NOT_MEMBER',
      outcome: 'refused',
      wire: 'NOT_MEMBER',
      refuses: 'request',
      isFailedProof: true
    },
    NotRootError: { code: 'NOT_ROOT', outcome: 'refused', wire: 'NOT_ROOT' },
    NotOperatorError: { code: 'NOT_OPERATOR', outcome: 'refused', wire: 'NOT_OPERATOR' },
    SecondOperatorError: { code: 'SECOND_OPERATOR', outcome: 'unavailable', wire: 'SECOND_OPERATOR' },
    RefusedError: { code: 'REFUSED', outcome: 'refused', wire: 'INVALID', refuses: 'request' },
    ChangedMeanwhileError: { code: 'CHANGED', outcome: 'refused', wire: 'CHANGED' },
    PublishRefusedError: { code: 'PUBLISH_REFUSED', outcome: 'refused', wire: 'INVALID', refuses: 'request' },
    AccessError: { code: 'NO_ACCESS', outcome: 'refused' },
    ProviderRefusedError: { code: 'PROVIDER_REFUSED', outcome: 'refused' },
    RevokedError: { code: 'REVOKED', outcome: 'refused', wire: 'REVOKED', refuses: 'forGood' },
    NameTakenError: { code: 'NAME_TAKEN', outcome: 'refused', wire: 'NAME_TAKEN', refuses: 'forGood' },
    InviteRequiredError: { code: 'INVITE_REQUIRED', outcome: 'refused', wire: 'INVITE_REQUIRED', refuses: 'forGood' },
    InviteInvalidError: {
      code: 'INVITE_INVALID',
      outcome: 'refused',
      wire: 'INVITE_INVALID',
      refuses: 'forGood',
      isFailedProof: true
    },
    InviteExpiredError: {
      code: 'INVITE_EXPIRED',
      outcome: 'refused',
      wire: 'INVITE_EXPIRED',
      refuses: 'forGood',
      isFailedProof: true
    },
    InviteUsedError: {
      code: 'INVITE_USED',
      outcome: 'refused',
      wire: 'INVITE_USED',
      refuses: 'forGood',
      isFailedProof: true
    },
    JoinRejectedError: { code: 'REJECTED', outcome: 'refused', wire: 'REJECTED', refuses: 'forGood' },
    DuplicateInstanceError: {
      code: 'DUPLICATE_INSTANCE',
      outcome: 'refused',
      wire: 'DUPLICATE_INSTANCE',
      refuses: 'forGood'
    },

    NotAllowedError: { code: 'NOT_ALLOWED', outcome: 'refused', wire: 'NOT_ALLOWED', refuses: 'request' },
    NotExposedError: { code: 'NOT_EXPOSED', outcome: 'missing', wire: 'NOT_EXPOSED', refuses: 'request' },
    NotFoundError: { code: 'NOT_FOUND', outcome: 'missing', wire: 'NOT_FOUND' },

    PendingError: { code: 'PENDING', outcome: 'unavailable', wire: 'PENDING', refuses: 'request' },
    UnavailableError: { code: 'UNAVAILABLE', outcome: 'unavailable', wire: 'UNAVAILABLE' },
    LimitError: { code: 'LIMIT', outcome: 'unavailable', wire: 'RATE_LIMITED' },
    ProviderUnreachableError: { code: 'PROVIDER_UNREACHABLE', outcome: 'unavailable' },
    RateLimitedError: { code: 'RATE_LIMITED', outcome: 'internal', wire: 'RATE_LIMITED' },
    // A root whose log has two histories appends nothing until the next epoch.
    ForkError: { code: 'FORK', outcome: 'internal', wire: 'UNAVAILABLE' },
    // A full or failing disk: what was asked for was not done, and another registry may do it.
    StoreError: { code: 'STORE_FAILED', outcome: 'internal', wire: 'UNAVAILABLE' },
    TimeoutError: { code: 'TIMEOUT', outcome: 'late' },
    DeadlineError: { code: 'TIMEOUT', outcome: 'late' },
    AbortError: { code: 'TIMEOUT', outcome: 'late' },

    NothingRunningError: { code: 'NOT_RUNNING', outcome: 'idle' },
    UsageError: { code: 'USAGE', outcome: 'setup' },
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
export const isForGood = (error: unknown): boolean => failureOf(error).refuses === 'forGood'

/** Tells whether the request was decided on, so that it need not be kept. */
export const isDecided = (error: unknown): boolean => failureOf(error).refuses !== undefined

export const isFailedProof = (error: unknown): boolean => failureOf(error).isFailedProof === true

/** Tells whether somebody answered, and is the wrong one. */
export const isForeign = (error: unknown): boolean => failureOf(error).code === 'WRONG_NETWORK'
