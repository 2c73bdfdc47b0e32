import type { Output, PeerRow } from '../../node/api/control-api.ts'
import type { RunningOptions } from '../access/find-running.ts'
import type { Context } from '../output/context.ts'
import { peerColumns } from '../output/peer-columns.ts'
import { type PeerFilter, peersSummary } from '../output/peer-rows.ts'

/** Last day of each peer, by PeerId. */
export type Day = ReadonlyMap<string, readonly (number | null)[]>

export type PeersOptions = RunningOptions &
  PeerFilter & { long?: boolean; watch?: boolean; matrix?: boolean; compare?: string }

/** Summary line, empty line, table: what `peers` prints and `--watch` redraws. */
export const peersText = (
  context: Context,
  view: Output<'peers'>,
  rows: readonly PeerRow[],
  kept: number,
  options: { long?: boolean; day?: Day | undefined; service?: string | undefined }
): string => {
  const { terminal } = context
  const summary = terminal.paint('bold', peersSummary(view, kept, terminal.width))
  if (rows.length === 0) return `${summary}\nNo member fits the filter.`
  const columns = peerColumns({
    now: Date.now(),
    paint: terminal.paint,
    long: options.long === true,
    width: terminal.width,
    service: options.service,
    day: options.day
  })
  return `${summary}\n\n${terminal.tableText(columns, rows, { all: options.long === true })}`
}
