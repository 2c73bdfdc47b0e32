import { equals } from 'uint8arrays/equals'
import type { Replica } from '../../../registry/log/replica.ts'
import type { RootLease, RootLogState } from '../../../registry/log/root-log/root-log.ts'
import type { LogItem } from '../../../registry/store/log-rows.ts'
import { UnavailableError } from '../../../runtime/errors.ts'
import { keptEntries, type SharedRootLog } from './shared-root-log.ts'

const retryMs = 1000
/** Entries of one page, of 4 KiB at most each. */
const pageEntries = 128

/** Older entries that an engine lacks of those that it keeps, as far as this store has them. */
export const lackingEntries = ({ floor, head }: Replica, { firstN }: Pick<RootLogState, 'firstN'>): number =>
  Math.max(0, firstN - 1 - Math.max(floor, head.n - keptEntries))

/**
 * Brings an engine those entries, the newest first, so that what it has is always without a gap, and reads each page back.
 * @throws UnavailableError when it answers with other bytes; LeaseLostError
 */
export async function fillHistory(
  engine: SharedRootLog,
  lease: RootLease,
  { replica, signal }: Filling
): Promise<void> {
  let { firstN } = (await engine.state()) ?? { firstN: 0 }
  for (let lacking = lackingEntries(replica, { firstN }); lacking > 0; lacking = lackingEntries(replica, { firstN })) {
    if (signal.aborted) return
    const count = Math.min(pageEntries, lacking)
    firstN -= count
    const entries = replica.ledger.table.items(firstN - 1, count)
    await engine.backfill(lease, entries)
    requireSame(entries, await engine.read(firstN - 1))
  }
}

export interface Filling {
  readonly replica: Replica
  readonly signal: AbortSignal
}

function requireSame(entries: readonly LogItem[], there: readonly LogItem[]): void {
  for (const [i, { n, envelope }] of entries.entries()) {
    const found = there[i]
    if (found?.n === n && equals(found.envelope, envelope)) continue
    throw new UnavailableError(`the database of the log answers with another entry ${n} than it was given`, retryMs)
  }
}
