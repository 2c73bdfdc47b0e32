import { domains } from '../../registry/objects/envelope.ts'
import { type NodeRecord, recordBytes } from '../../registry/objects/record.ts'

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
