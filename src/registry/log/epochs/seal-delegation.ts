import type { SigningKey } from '../../../identity/keys.ts'
import { LogMismatchError } from '../../../runtime/errors.ts'
import { type LogEntry, sealEntry } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'
import type { Replica } from '../replica.ts'

/**
 * The entry that opens a new epoch with a new log key, for `replica.apply` of the new root and then of everybody. `forkN`: the last
 * entry that counts; what is above it is void.
 *
 * @throws LogMismatchError when that position is not held
 */
export function sealDelegation(
  replica: Replica,
  authority: SigningKey,
  logKey: Uint8Array,
  forkN = replica.head.n
): Signed<LogEntry> {
  const prevHash = replica.linkHash(forkN)
  if (prevHash === undefined || forkN > replica.head.n) throw new LogMismatchError(`entry ${forkN} is not held here`)
  const timeMs = Math.max(replica.ledger.clock.now(), replica.timeMs)
  const position = { networkId: replica.networkId, n: forkN + 1, prevHash, epoch: replica.head.epoch + 1, timeMs }
  return sealEntry({ ...position, kind: 'delegate', body: { logKey } }, authority)
}

/** The entry that makes the next authority key, which was committed to, the authority, for `replica.apply`. */
export function sealAuthority(replica: Replica, next: SigningKey, nextAuthorityDigest: Uint8Array): Signed<LogEntry> {
  const { epoch, n, hash: prevHash } = replica.head
  const timeMs = Math.max(replica.ledger.clock.now(), replica.timeMs)
  const position = { networkId: replica.networkId, n: n + 1, prevHash, epoch, timeMs }
  return sealEntry(
    { ...position, kind: 'authority', body: { authorityKey: next.publicKey, nextAuthorityDigest } },
    next
  )
}
