import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import { historyRows } from '../../registry/history/history.ts'
import { isCounted, isUp, type State, stateOf } from '../../registry/liveness/states.ts'
import type { HistoryRow } from '../../registry/store/history-table.ts'
import type { Input, TimelineView } from '../api/control-api.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { mapGently } from './member-rows.ts'
import { requireMember } from './peer-names.ts'

const defaultSpanMs = 86_400_000
const defaultSlots = 24

interface Span {
  readonly fromMs: number
  readonly toMs: number
  readonly state: State
}

/** States one after the other, each until the next one, the last until now. */
const spansOf = (rows: readonly HistoryRow[], nowMs: number): Span[] =>
  rows.map(({ atMs, state }, at) => ({
    fromMs: atMs,
    toMs: rows[at + 1]?.atMs ?? nowMs,
    state: (state === null ? undefined : stateOf(state)) ?? 'unknown'
  }))

/** Parts of the spans in which this process ran. */
const seen = (spans: readonly Span[], own: readonly Span[]): Span[] =>
  own
    .filter(({ state }) => isUp(state))
    .flatMap(({ fromMs, toMs }) =>
      spans
        .map((span) => ({ ...span, fromMs: Math.max(fromMs, span.fromMs), toMs: Math.min(toMs, span.toMs) }))
        .filter((span) => span.fromMs < span.toMs)
    )

/** Percent of each slot that was spent up; null where nothing counts. */
export const upBySlot = (spans: readonly Span[], fromMs: number, slotMs: number, slots: number): (number | null)[] => {
  const up = Array.from({ length: slots }, () => 0)
  const counted = Array.from({ length: slots }, () => 0)
  for (const span of spans) {
    if (!isCounted(span.state)) continue
    const first = Math.max(0, Math.floor((span.fromMs - fromMs) / slotMs))
    const last = Math.min(slots - 1, Math.floor((span.toMs - 1 - fromMs) / slotMs))
    for (let slot = first; slot <= last; slot++) {
      const begin = fromMs + slot * slotMs
      const ms = Math.max(0, Math.min(span.toMs, begin + slotMs) - Math.max(span.fromMs, begin))
      counted[slot] = (counted[slot] ?? 0) + ms
      if (isUp(span.state)) up[slot] = (up[slot] ?? 0) + ms
    }
  }
  return counted.map((ms, slot) => (ms === 0 ? null : Math.floor((100 * (up[slot] ?? 0)) / ms)))
}

const statesByKey = (rows: readonly HistoryRow[]): Map<string, HistoryRow[]> =>
  Map.groupBy(
    rows.filter(({ state }) => state !== null),
    ({ publicKey }) => keyId(publicKey)
  )

/** The last day of members, from what this process remembers. @throws NotFoundError, AmbiguousNameError */
export const timelineView = async (
  node: NodeContext,
  network: NetworkNode,
  query: Input<'timeline'> = {}
): Promise<TimelineView> => {
  const { registry } = network
  const { state } = registry.replica
  const { peer, spanMs = defaultSpanMs, slots = defaultSlots } = query
  const nowMs = Math.floor(node.clock.now())
  const slotMs = Math.ceil(spanMs / slots)
  const fromMs = nowMs - slotMs * slots
  const self = node.key.publicKey
  const byKey = statesByKey(registry.history.rows({ after: -1, limit: historyRows }))
  const own = spansOf(byKey.get(keyId(self)) ?? [], nowMs).filter(({ toMs }) => toMs > fromMs)
  const members = peer === undefined ? [...state.members()] : [requireMember(registry, peer)]
  const lines = await mapGently(members, ({ publicKey, name }) => {
    const spans = spansOf(byKey.get(keyId(publicKey)) ?? [], nowMs)
    // This process knows when it did not run.
    const shown = equals(publicKey, self)
      ? own.map((span) => (isUp(span.state) ? span : { ...span, state: 'offline' as const }))
      : seen(spans, own)
    return { peerId: peerIdText(publicKey), name, up: upBySlot(shown, fromMs, slotMs, slots) }
  })
  return { fromMs, slotMs, members: lines }
}
