import { equals } from 'uint8arrays/equals'
import { keyId } from '../../../identity/key-id.ts'
import { LogMismatchError } from '../../../runtime/errors.ts'
import type { Checkpoint } from '../../objects/checkpoint.ts'
import type { LogEntry } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'
import { OtherEpochError } from '../apply-entries.ts'
import { delegationKinds } from '../epochs/voided-entries.ts'
import type { Ledger } from '../ledger.ts'
import { followDelegations } from '../state/delegations.ts'
import type { LogKeys } from '../state/log-keys.ts'
import { readStoredEntry } from '../state/stored-entry.ts'

/** Keys that sign a snapshot: nothing of it is kept before they are known. */
export class SnapshotKeys {
  readonly #keys: LogKeys
  /** keyId of the hashes of the delegate and authority entries that lead to them. */
  readonly #delegations: ReadonlySet<string>
  readonly #isShown: boolean

  private constructor(keys: LogKeys, delegations: readonly Signed<LogEntry>[], isShown: boolean) {
    this.#keys = keys
    this.#delegations = new Set(delegations.map(({ hash }) => keyId(hash)))
    this.#isShown = isShown
  }

  /**
   * The keys to which the delegations lead that somebody shows; without any, those that are known here.
   * @throws LogMismatchError when they do not lead from the genesis, or leave out one that is held and counts
   */
  static of({ genesis, table, state }: Ledger, shown: readonly Signed<LogEntry>[]): SnapshotKeys {
    const held = table.ofKinds(...delegationKinds).map(({ envelope }) => readStoredEntry(envelope))
    if (shown.length === 0) return new SnapshotKeys(state.keys, held, false)
    const keys = new SnapshotKeys(followDelegations(genesis, shown), shown, true)
    const missing = held.find(({ value, hash }) => {
      return keys.#keys.isValidAt(value.epoch, value.n) && !keys.#delegations.has(keyId(hash))
    })
    if (missing === undefined) return keys
    throw new LogMismatchError(`the delegations leave out entry ${missing.value.n}, which is held and says who signs`)
  }

  /** @throws LogMismatchError */
  requireCheckpoint({ value: { epoch, n }, signer }: Signed<Checkpoint>): void {
    const key = this.#keys.keyOf(epoch)
    if (key === undefined && !this.#isShown) {
      throw new OtherEpochError(
        `a snapshot of epoch ${epoch} comes without the delegations that lead to its key, as an older version sends it: nothing of it is kept`
      )
    }
    if (key === undefined || !equals(key, signer) || !this.#keys.isValidAt(epoch, n)) {
      throw new LogMismatchError(`the snapshot's checkpoint at ${n} is not signed by the log key of epoch ${epoch}`)
    }
  }

  /** @throws LogMismatchError for an entry that is not signed by the key of its epoch, or lies where that epoch does not count */
  requireEntry(entry: Signed<LogEntry>): void {
    const { n, epoch, kind } = entry.value
    const isRight =
      kind === 'delegate' || kind === 'authority' ? this.#delegations.has(keyId(entry.hash)) : this.#keys.isOfLog(entry)
    if (!isRight)
      throw new LogMismatchError(`entry ${n} of the snapshot is not signed by the log key of epoch ${epoch}`)
  }
}
