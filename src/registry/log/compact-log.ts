import type { Ledger } from './ledger.ts'

/** Time whose entries compaction leaves, so that nobody who was away for two weeks needs a snapshot. */
const keepMs = 14 * 24 * 3_600_000
const keepEntries = 24
/** Drops entries that were superseded long before that time. Gives the number of them. */
export async function compactLog(ledger: Ledger, timeMs: number): Promise<number> {
  return await ledger.exclusive(() =>
    ledger.commit((draft) => {
      const lastN = Math.min(draft.checkpoint?.value.n ?? 0, ledger.head.n - keepEntries)
      const floor = draft.table.newestBefore(lastN, timeMs - keepMs)
      if (floor === undefined || floor <= draft.floor) return 0
      draft.floor = floor
      draft.putCheckpoint(draft.checkpoint)
      return draft.table.compact(floor)
    })
  )
}
