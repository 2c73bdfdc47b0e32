import { domains } from '../../registry/objects/envelope.ts'
import { type NodeRecord, recordBytes } from '../../registry/objects/record.ts'
import type { RecordStore } from '../../registry/objects/record-additions.ts'

/**
 * Shortens a record until it fits into its bytes: a record that is too long is none, and a node without one is not found. First the worst
 * relays and addresses go, then the reason of a maintenance.
 */
export function fitting(record: NodeRecord): NodeRecord {
  for (let short = record; ; ) {
    if (recordBytes(short) <= domains.nodeRecord.maxBytes) return short
    const next = shorter(short)
    if (next === undefined) return short
    short = next
  }
}

function shorter(record: NodeRecord): NodeRecord | undefined {
  const { relayKeys = [], addrs, maintenance } = record
  if (relayKeys.length > 1) return { ...record, relayKeys: relayKeys.slice(0, -1) }
  if (addrs.length > 1) return { ...record, addrs: addrs.slice(0, -1) }
  if (maintenance !== undefined && maintenance.reason !== '') {
    return { ...record, maintenance: { ...maintenance, reason: Array.from(maintenance.reason).slice(0, -1).join('') } }
  }
  return undefined
}

/** Names as many of the stores, the most important first, as a record has bytes for. */
export function withStores(record: NodeRecord, stores: readonly RecordStore[]): NodeRecord {
  for (let count = stores.length; count > 0; count--) {
    const named = { ...record, stores: stores.slice(0, count).toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
    if (recordBytes(named) <= domains.nodeRecord.maxBytes) return named
  }
  return record
}
