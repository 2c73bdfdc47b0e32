import type { PeerRow, PeersView } from '../node/control/api.ts'
import type { Context } from './context.ts'
import { peerColumns } from './peer-columns.ts'
import { type PeerFilter, peersSummary } from './peer-rows.ts'
import type { RunningOptions } from './running.ts'

export type PeersOptions = RunningOptions & PeerFilter & { long?: boolean; watch?: boolean }

/** Summary line, empty line, table: what `peers` prints and `--watch` redraws. */
export const peersText = (
  context: Context,
  view: PeersView,
  rows: readonly PeerRow[],
  kept: number,
  options: { long?: boolean }
): string => {
  const { terminal } = context
  const summary = terminal.paint('bold', peersSummary(view, kept, terminal.width))
  if (rows.length === 0) return `${summary}\nNo member fits the filter.`
  const columns = peerColumns({
    now: Date.now(),
    paint: terminal.paint,
    long: options.long === true,
    width: terminal.width
  })
  return `${summary}\n\n${terminal.tableText(columns, rows, { all: options.long === true })}`
}
