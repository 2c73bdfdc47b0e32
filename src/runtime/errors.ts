/** Bytes that are no valid signed object: wrong domain, signature, signer, shape or size. */
export class InvalidEnvelopeError extends Error {
  override readonly name = 'InvalidEnvelopeError'
}

/** A payload that is well signed but breaks a rule of its kind (too many addresses, an IPv4 address, a name that is none …). */
export class InvalidPayloadError extends Error {
  override readonly name = 'InvalidPayloadError'
}

/** Signed for another network. */
export class WrongNetworkError extends Error {
  override readonly name = 'WrongNetworkError'
}

/** A newer major version of a signed object or message than this program knows. */
export class UnsupportedVersionError extends Error {
  override readonly name = 'UnsupportedVersionError'
}

/** The key is not, or no longer, a member. */
export class NotMemberError extends Error {
  override readonly name = 'NotMemberError'
}

/** The key was revoked, for ever. */
export class RevokedError extends Error {
  override readonly name = 'RevokedError'
}

/** A record with a (seq, hash) that is not greater than the one held. */
export class StaleRecordError extends Error {
  override readonly name = 'StaleRecordError'
  /** Envelope of the record that is held. */
  readonly held: Uint8Array
  constructor(message: string, held: Uint8Array) {
    super(message)
    this.held = held
  }
}

/** Another process with the same key holds the lease. */
export class DuplicateInstanceError extends Error {
  override readonly name = 'DuplicateInstanceError'
}

/** The name belongs to another member. */
export class NameTakenError extends Error {
  override readonly name = 'NameTakenError'
}

/** The policy wants an invite and there is none. */
export class InviteRequiredError extends Error {
  override readonly name = 'InviteRequiredError'
}

/** A grant that is forged, of another network, or whose proof does not fit. */
export class InviteInvalidError extends Error {
  override readonly name = 'InviteInvalidError'
}

/** A grant past its time. */
export class InviteExpiredError extends Error {
  override readonly name = 'InviteExpiredError'
}

/** A grant whose uses are spent. */
export class InviteUsedError extends Error {
  override readonly name = 'InviteUsedError'
}

/** The operator said no. */
export class JoinRejectedError extends Error {
  override readonly name = 'JoinRejectedError'
}

/** The join waits for the operator or for the root. */
export class PendingError extends Error {
  override readonly name = 'PendingError'
}

/** Cannot be done now; try again later, here or elsewhere. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError'
  readonly retryAfterMs: number
  constructor(message: string, retryAfterMs: number) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }
}

/** A limit that a remote can exhaust was reached. */
export class LimitError extends Error {
  override readonly name = 'LimitError'
}

/** Log entries that do not follow from what is held: a gap, a broken chain, a wrong signer or state root. */
export class LogMismatchError extends Error {
  override readonly name = 'LogMismatchError'
}

/** An operator asked for what the rules of the network do not allow, or what nobody would mean. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

/** Two signed histories of one epoch: proof is kept, nothing of either is followed. */
export class ForkError extends Error {
  override readonly name = 'ForkError'
}

/** This process may not do that: it is not the root, or holds no log key. */
export class NotRootError extends Error {
  override readonly name = 'NotRootError'
}

/** The key is no operator's, or the one whom an act needs has not signed it. */
export class NotOperatorError extends Error {
  override readonly name = 'NotOperatorError'
}

/** The act needs the order of another operator, too. */
export class SecondOperatorError extends Error {
  override readonly name = 'SecondOperatorError'
}

/** The order is about something that has changed since the operator looked. */
export class ChangedMeanwhileError extends Error {
  override readonly name = 'ChangedMeanwhileError'
}

/** The document is not taken: its publisher may not publish, there is no room, or what came is not what was signed. */
export class PublishRefusedError extends Error {
  override readonly name = 'PublishRefusedError'
}

/** No rule of the policy lets this member call this service. */
export class NotAllowedError extends Error {
  override readonly name = 'NotAllowedError'
  /** Entry of the log that has the policy; 0: not known. */
  readonly policyEntry: number
  constructor(message: string, policyEntry = 0) {
    super(message)
    this.policyEntry = policyEntry
  }
}

/** No such service is exposed there. */
export class NotExposedError extends Error {
  override readonly name = 'NotExposedError'
}

/** Nothing has that id. */
export class NotFoundError extends Error {
  override readonly name = 'NotFoundError'
}

/** The key file is missing, unreadable, of another key type, or readable by others. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError'
}

/** The database belongs to another program, or to a newer version of this one. */
export class StoreVersionError extends Error {
  override readonly name = 'StoreVersionError'
}

/** Another process uses this data folder. */
export class StoreInUseError extends Error {
  override readonly name = 'StoreInUseError'
}

/** The database is damaged or its disk fails. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
}

/** The database holds something else than was written to it: a replica is fetched anew, a root restores a backup. */
export class DamagedStoreError extends StoreError {}

/** The files of an open store are not those any more that this process writes to. */
export class StoreGoneError extends StoreError {}

/** The thing to read is no regular file, or larger than any file of its kind. */
export class UnfitFileError extends Error {
  override readonly name = 'UnfitFileError'
}

/** A name that means more than one. */
export class AmbiguousNameError extends Error {
  override readonly name = 'AmbiguousNameError'
}
