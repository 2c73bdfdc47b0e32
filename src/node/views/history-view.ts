import { nameOfNumber } from '../../identity/checked-bytes.ts'
import { happenings } from '../../registry/history/history.ts'
import { stateOf } from '../../registry/liveness/states.ts'
import type { Registry } from '../../registry/registry.ts'
import type { HistoryRow } from '../../registry/store/history-table.ts'
import type { HappeningRow, HistoryView, Input } from '../api/control-api.ts'
import type { NetworkNode } from '../network-node.ts'
import { formerName } from './log-view.ts'
import { requireKeyEver } from './peer-names.ts'
import { refOf } from './refs.ts'

const defaultLimit = 100

const shownState = (number: number | null) => (number === null ? null : (stateOf(number) ?? null))

/** A row as views show it. */
export const happeningOf = (registry: Registry, row: HistoryRow): HappeningRow => {
  const member = refOf(registry, row.publicKey)
  return {
    id: row.id,
    atMs: row.atMs,
    type: nameOfNumber(happenings, row.kind) ?? 'state',
    member: { ...member, name: member.name ?? formerName(registry, row.publicKey) },
    state: shownState(row.state),
    before: shownState(row.before),
    source: row.source === null ? null : refOf(registry, row.source),
    reason: row.reason
  }
}

/** One page of what happened. @throws NotFoundError, AmbiguousNameError */
export const historyView = (network: NetworkNode, query: Input<'history'> = {}): HistoryView => {
  const { registry } = network
  const { after, sinceMs, peer, limit = defaultLimit } = query
  const publicKey = peer === undefined ? undefined : requireKeyEver(registry, peer)
  const rows = registry.history.rows({ after, sinceMs, publicKey, limit })
  return {
    firstId: registry.history.first,
    lastId: registry.history.last,
    events: rows.map((row) => happeningOf(registry, row)),
    next: rows.length < limit ? null : (rows.at(-1)?.id ?? null)
  }
}
