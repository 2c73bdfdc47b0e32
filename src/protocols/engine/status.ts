import {
  DuplicateInstanceError,
  InvalidPayloadError,
  InviteExpiredError,
  InviteInvalidError,
  InviteRequiredError,
  InviteUsedError,
  JoinRejectedError,
  NameTakenError,
  NotFoundError,
  NotMemberError,
  NotRootError,
  PendingError,
  RevokedError,
  StaleRecordError,
  StoreError,
  UnavailableError,
  UnsupportedVersionError,
  WrongNetworkError
} from '../../runtime/errors.ts'
import { FrameTooLargeError, MalformedFrameError, RateLimitedError, RemoteFailureError } from './errors.ts'

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

const names = new Map<number, string>(Object.entries(statuses).map(([name, status]) => [status, name]))

/** `STATUS 42` for a status of a newer version. */
export const statusText = (status: number): string => names.get(status) ?? `STATUS ${status}`

/** What an operator is told of the answers that only somebody's action changes. */
const sayings: Readonly<Record<number, string>> = {
  [statuses.REVOKED]: 'the key of this node was revoked, for ever',
  [statuses.PENDING]: 'the join waits for the word of the operator, or for the root',
  [statuses.NAME_TAKEN]: 'another member has this name',
  [statuses.INVITE_REQUIRED]: 'the network asks for an invite',
  [statuses.INVITE_INVALID]: 'the invite is not valid for this node',
  [statuses.INVITE_EXPIRED]: 'the invite has expired',
  [statuses.INVITE_USED]: 'the invite was used before',
  [statuses.REJECTED]: 'the operator of the root rejected the join',
  [statuses.DUPLICATE_INSTANCE]: 'another process signs with the key of this node'
}

/** "the invite has expired (INVITE_EXPIRED)"; for what names no action, what was refused: "…: RATE_LIMITED". */
export const refusalText = (status: number, refused: string): string => {
  const said = Object.hasOwn(sayings, status) ? sayings[status] : undefined
  return said === undefined ? `${refused}: ${statusText(status)}` : `${said} (${statusText(status)})`
}

const byErrorName: ReadonlyMap<string, number> = new Map(
  Object.entries<number>({
    MalformedFrameError: statuses.MALFORMED,
    FrameTooLargeError: statuses.TOO_LARGE,
    RateLimitedError: statuses.RATE_LIMITED,
    LimitError: statuses.RATE_LIMITED,
    WrongNetworkError: statuses.WRONG_NETWORK,
    UnsupportedVersionError: statuses.UNSUPPORTED_VERSION,
    NotMemberError: statuses.NOT_MEMBER,
    RevokedError: statuses.REVOKED,
    PendingError: statuses.PENDING,
    InvalidEnvelopeError: statuses.INVALID,
    InvalidPayloadError: statuses.INVALID,
    LogMismatchError: statuses.INVALID,
    StaleRecordError: statuses.STALE,
    NameTakenError: statuses.NAME_TAKEN,
    InviteRequiredError: statuses.INVITE_REQUIRED,
    InviteInvalidError: statuses.INVITE_INVALID,
    InviteExpiredError: statuses.INVITE_EXPIRED,
    InviteUsedError: statuses.INVITE_USED,
    JoinRejectedError: statuses.REJECTED,
    UnavailableError: statuses.UNAVAILABLE,
    // A root whose log has two histories appends nothing until the next epoch.
    ForkError: statuses.UNAVAILABLE,
    // A full or failing disk: what was asked for was not done, and another registry may do it.
    StoreError: statuses.UNAVAILABLE,
    DuplicateInstanceError: statuses.DUPLICATE_INSTANCE,
    NotFoundError: statuses.NOT_FOUND,
    NotRootError: statuses.NOT_ROOT
  })
)

/** INTERNAL for every error that is not one of the named failures: its text stays in the local log. */
export function statusOf(error: unknown): number {
  const name = error instanceof Error ? error.name : ''
  return byErrorName.get(name) ?? statuses.INTERNAL
}

/** Whether a request failed by a fault of this side, which belongs into its log. */
export const isOwnFailure = (error: unknown): boolean =>
  error instanceof StoreError || statusOf(error) === statuses.INTERNAL

/** What a caller can do after a refusal besides reading its status. */
export interface RefusalDetail {
  retryAfterMs?: number
  /** STALE: envelope of the record that the other side holds. */
  held?: Uint8Array
}

/** Wait after a refusal that names none. */
const defaultRetryMs = 5_000
/** Until an operator has seen the message, or logs were rotated. */
const diskRetryMs = 10_000

type MakeError = (message: string, detail: RefusalDetail) => Error

const errors: Readonly<Record<number, MakeError>> = {
  [statuses.MALFORMED]: (message) => new MalformedFrameError(message),
  [statuses.TOO_LARGE]: (message) => new FrameTooLargeError(message),
  [statuses.RATE_LIMITED]: (message, { retryAfterMs }) => new RateLimitedError(message, retryAfterMs ?? defaultRetryMs),
  [statuses.WRONG_NETWORK]: (message) => new WrongNetworkError(message),
  [statuses.UNSUPPORTED_VERSION]: (message) => new UnsupportedVersionError(message),
  [statuses.NOT_MEMBER]: (message) => new NotMemberError(message),
  [statuses.REVOKED]: (message) => new RevokedError(message),
  [statuses.PENDING]: (message) => new PendingError(message),
  [statuses.INVALID]: (message) => new InvalidPayloadError(message),
  [statuses.STALE]: (message, { held }) => new StaleRecordError(message, held ?? new Uint8Array()),
  [statuses.NAME_TAKEN]: (message) => new NameTakenError(message),
  [statuses.INVITE_REQUIRED]: (message) => new InviteRequiredError(message),
  [statuses.INVITE_INVALID]: (message) => new InviteInvalidError(message),
  [statuses.INVITE_EXPIRED]: (message) => new InviteExpiredError(message),
  [statuses.INVITE_USED]: (message) => new InviteUsedError(message),
  [statuses.REJECTED]: (message) => new JoinRejectedError(message),
  [statuses.UNAVAILABLE]: (message, { retryAfterMs }) => new UnavailableError(message, retryAfterMs ?? defaultRetryMs),
  [statuses.DUPLICATE_INSTANCE]: (message) => new DuplicateInstanceError(message),
  [statuses.NOT_FOUND]: (message) => new NotFoundError(message),
  [statuses.NOT_ROOT]: (message) => new NotRootError(message)
}

/** The error of the registry that a status stands for, so that a caller handles a remote registry like one in process. */
export function errorOf(status: number, message: string, detail: RefusalDetail = {}): Error {
  const make = Object.hasOwn(errors, status) ? errors[status] : undefined
  return make?.(message, detail) ?? new RemoteFailureError(`${message} (${statusText(status)})`, status)
}

/** The wait that an error asks for, 0 when it names none. */
export function retryAfterMsOf(error: unknown): number {
  if (error instanceof StoreError) return diskRetryMs
  return error instanceof UnavailableError || error instanceof RateLimitedError ? error.retryAfterMs : 0
}
