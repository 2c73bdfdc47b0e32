import {
  ChangedMeanwhileError,
  DuplicateInstanceError,
  InvalidPayloadError,
  InviteExpiredError,
  InviteInvalidError,
  InviteRequiredError,
  InviteUsedError,
  JoinRejectedError,
  NameTakenError,
  NotAllowedError,
  NotExposedError,
  NotFoundError,
  NotMemberError,
  NotOperatorError,
  NotRootError,
  PendingError,
  RevokedError,
  SecondOperatorError,
  StaleRecordError,
  StoreError,
  UnavailableError,
  UnsupportedVersionError,
  WrongNetworkError
} from '../../runtime/errors.ts'
import { failureOf, statuses } from '../../runtime/failures.ts'
import { FrameTooLargeError, MalformedFrameError, RateLimitedError, RemoteFailureError } from './errors.ts'

export { statuses }

const names = new Map<number, string>(Object.entries(statuses).map(([name, status]) => [status, name]))

/** `STATUS 42` for a status of a newer version. */
export const statusText = (status: number): string => names.get(status) ?? `STATUS ${status}`

/** Words for an operator about the answers that only somebody's action changes. */
const sayings: Readonly<Record<number, string>> = {
  [statuses.REVOKED]: 'the key of this node was revoked, for ever',
  [statuses.PENDING]: 'the join waits for the word of the operator, or for the root',
  [statuses.NAME_TAKEN]: 'another member has this name',
  [statuses.INVITE_REQUIRED]: 'the network asks for an invite',
  [statuses.INVITE_INVALID]: 'the invite is not valid for this node',
  [statuses.INVITE_EXPIRED]: 'the invite has expired',
  [statuses.INVITE_USED]: 'the invite was used before',
  [statuses.REJECTED]: 'the operator of the root rejected the join',
  [statuses.DUPLICATE_INSTANCE]: 'another process signs with the key of this node',
  [statuses.NOT_OPERATOR]:
    'the key is no operator of this network: one of those in `trustnet operator list` adds others',
  [statuses.SECOND_OPERATOR]:
    'the policy asks for another operator, too: this waits for a second operator, who runs `trustnet operator pending` and `operator approve`',
  [statuses.CHANGED]: 'it was changed meanwhile, and nothing was done: look again, and decide anew'
}

/** "the invite has expired (INVITE_EXPIRED)"; for what names no action, what was refused: "…: RATE_LIMITED". */
export const refusalText = (status: number, refused: string): string => {
  const said = Object.hasOwn(sayings, status) ? sayings[status] : undefined
  return said === undefined ? `${refused}: ${statusText(status)}` : `${said} (${statusText(status)})`
}

/** INTERNAL for every error that is not one of the named failures: its text stays in the local log. */
export const statusOf = (error: unknown): number => statuses[failureOf(error).wire ?? 'INTERNAL']

/** Tells whether a request failed by a fault of this side, which belongs into its log. */
export const isOwnFailure = (error: unknown): boolean =>
  error instanceof StoreError || statusOf(error) === statuses.INTERNAL

/** Details of a refusal that a caller can act on. */
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
  [statuses.NOT_ROOT]: (message) => new NotRootError(message),
  [statuses.NOT_OPERATOR]: (message) => new NotOperatorError(message),
  [statuses.SECOND_OPERATOR]: (message) => new SecondOperatorError(message),
  [statuses.CHANGED]: (message) => new ChangedMeanwhileError(message),
  [statuses.NOT_ALLOWED]: (message) => new NotAllowedError(message),
  [statuses.NOT_EXPOSED]: (message) => new NotExposedError(message)
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
