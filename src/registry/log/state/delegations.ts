import { LimitError, LogMismatchError } from '../../../runtime/errors.ts'
import { type LogEntry, openEntryAsync } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'
import type { Genesis } from '../../objects/genesis.ts'
import { LogKeys } from './log-keys.ts'

/** Delegate and authority entries that are looked at: one for each recovery or key ceremony in the network's life. */
export const maxDelegations = 128

/** Delegate and authority entries with a valid signature. @throws LimitError, InvalidEnvelopeError, WrongNetworkError … */
export async function openDelegations(
  envelopes: readonly Uint8Array[],
  networkId: Uint8Array,
  most: number = maxDelegations
): Promise<Signed<LogEntry>[]> {
  if (envelopes.length > most) {
    throw new LimitError(`${envelopes.length} delegations, where at most ${most} are looked at`)
  }
  return await Promise.all(envelopes.map((bytes) => openEntryAsync(bytes, networkId)))
}

/**
 * The keys to which delegations lead from the genesis: each is signed by the authority of its time, and each authority was committed to by
 * the one before.
 * @throws LogMismatchError
 */
export function followDelegations(genesis: Signed<Genesis>, delegations: readonly Signed<LogEntry>[]): LogKeys {
  let keys = LogKeys.of(genesis)
  let n = 0
  for (const entry of delegations) {
    if (entry.value.n <= n) throw new LogMismatchError('delegations are not in log order')
    n = entry.value.n
    keys = entry.value.kind === 'authority' ? keys.afterAuthority(entry) : keys.afterDelegate(entry)
  }
  return keys
}
