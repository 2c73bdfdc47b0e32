import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import { at } from '../../../identity/bytes.ts'
import { hashBytes } from '../../../identity/checked-bytes.ts'
import { sha256 } from '../../../identity/hash.ts'
import { u64 } from '../../../identity/key-id.ts'
import { LogMismatchError } from '../../../runtime/errors.ts'
import type { LogEntry } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'
import type { Genesis } from '../../objects/genesis.ts'

/** The key that signs an epoch's entries, and where that epoch branched off: entries of older epochs above `forkN` are void. */
export interface LogEpoch {
  readonly epoch: number
  readonly logKey: Uint8Array
  readonly forkN: number
  readonly forkHash: Uint8Array
}

/** Keys, and the places of the log that each may sign. Immutable: a delegation gives a new one. */
export class LogKeys {
  /** Ascending, the genesis' first. */
  readonly epochs: readonly LogEpoch[]
  /** The newest. */
  readonly epoch: number
  readonly authorityKey: Uint8Array
  /** All that there were, the genesis' first. */
  readonly authorities: readonly Uint8Array[]
  readonly nextAuthorityDigest: Uint8Array

  private constructor(
    epochs: readonly LogEpoch[],
    epoch: number,
    authorities: readonly Uint8Array[],
    nextAuthorityDigest: Uint8Array
  ) {
    this.epochs = epochs
    this.epoch = epoch
    this.authorities = authorities
    this.authorityKey = at(authorities, authorities.length - 1)
    this.nextAuthorityDigest = nextAuthorityDigest
  }

  static of(genesis: Signed<Genesis>): LogKeys {
    const { logKey, authorityKey, nextAuthorityDigest } = genesis.value
    const first = { epoch: 0, logKey, forkN: 0, forkHash: new Uint8Array(hashBytes) }
    return new LogKeys([first], 0, [authorityKey], nextAuthorityDigest)
  }

  keyOf(epoch: number): Uint8Array | undefined {
    return this.epochs.find((each) => each.epoch === epoch)?.logKey
  }

  /** True for the key of that epoch. */
  isKeyOf(epoch: number, key: Uint8Array): boolean {
    return this.epochs.some((each) => each.epoch === epoch && equals(each.logKey, key))
  }

  isLogKey(key: Uint8Array): boolean {
    return this.epochs.some((each) => equals(each.logKey, key))
  }

  /**
   * True where the authority that `known` ends with was one, too: a history without it takes a rotation of the authority back, which only a
   * key of the past wants.
   */
  follows(known: Pick<LogKeys, 'authorityKey'>): boolean {
    return this.authorities.some((each) => equals(each, known.authorityKey))
  }

  /** Lowest position at which a later epoch branched off; undefined: none did. */
  forkPointAfter(epoch: number): number | undefined {
    let point: number | undefined
    for (const later of this.epochs) {
      if (later.epoch > epoch && (point === undefined || later.forkN < point)) point = later.forkN
    }
    return point
  }

  /** True when an entry or a checkpoint of that epoch at that position counts. */
  isValidAt(epoch: number, n: number): boolean {
    const own = this.epochs.find((each) => each.epoch === epoch)
    const forkPoint = this.forkPointAfter(epoch)
    return own !== undefined && (n > own.forkN || epoch === 0) && (forkPoint === undefined || n <= forkPoint)
  }

  /** True for an entry or a checkpoint that the key of its epoch signed, at a place where that epoch counts. */
  isOfLog({ value, signer }: { value: { epoch: number; n: number }; signer: Uint8Array }): boolean {
    return this.isValidAt(value.epoch, value.n) && this.isKeyOf(value.epoch, signer)
  }

  /** The epoch of a delegate entry that the authority signed. @throws LogMismatchError */
  afterDelegate(entry: Signed<LogEntry>): LogKeys {
    const { value, signer } = entry
    if (value.kind !== 'delegate') throw new LogMismatchError(`entry ${value.n} is no delegation`)
    if (!equals(signer, this.authorityKey)) {
      throw new LogMismatchError(`the delegation of epoch ${value.epoch} is not signed by the authority`)
    }
    if (value.epoch <= this.epoch) {
      throw new LogMismatchError(`the delegation of epoch ${value.epoch} opens no new epoch: ${this.epoch} is known`)
    }
    const { logKey } = value.body
    if (this.isLogKey(logKey)) throw new LogMismatchError(`epoch ${value.epoch} has the log key of an older epoch`)
    const forkN = value.n - 1
    // A delegation above the fork point is as void as the entries around it.
    const kept = this.epochs.filter((each) => each.epoch === 0 || each.forkN < forkN)
    const opened = { epoch: value.epoch, logKey, forkN, forkHash: value.prevHash }
    return new LogKeys([...kept, opened], value.epoch, this.authorities, this.nextAuthorityDigest)
  }

  /** The authority that an entry reveals and the one before committed to. @throws LogMismatchError */
  afterAuthority(entry: Signed<LogEntry>): LogKeys {
    const { value, signer } = entry
    if (value.kind !== 'authority') throw new LogMismatchError(`entry ${value.n} reveals no authority`)
    const { authorityKey, nextAuthorityDigest } = value.body
    if (!equals(signer, authorityKey) || !equals(sha256(authorityKey), this.nextAuthorityDigest)) {
      throw new LogMismatchError(`entry ${value.n} reveals an authority that nobody committed to`)
    }
    return new LogKeys(this.epochs, this.epoch, [...this.authorities, authorityKey], nextAuthorityDigest)
  }
}

/** Row of the table `log-keys`. */
export const logKeyRow = ({ epoch, logKey, forkN, forkHash }: LogEpoch): { key: Uint8Array; value: Uint8Array } => ({
  key: u64(epoch),
  value: concat([logKey, u64(forkN), forkHash])
})

/** Row of the table `authority`: there is one. */
export const authorityRow = (keys: LogKeys): { key: Uint8Array; value: Uint8Array } => ({
  key: new Uint8Array(),
  value: concat([keys.authorityKey, keys.nextAuthorityDigest])
})
