import { entryKinds, type LogEntry } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'
import type { Genesis } from '../objects/genesis.ts'
import type { LogRow } from '../store/log-rows.ts'

/** The key that an entry is about. */
function subjectOf(entry: LogEntry): Uint8Array | null {
  switch (entry.kind) {
    case 'admit':
    case 'renew':
    case 'revoke':
    case 'registrySet':
    case 'publisher':
    case 'change':
    case 'end':
    case 'operator':
      return entry.body.publicKey
    case 'rotate':
      return entry.body.newKey
    default:
      return null
  }
}

/** The key that an entry shuts out for ever: no entry ever changes that. */
export const revokedBy = (entry: LogEntry): Uint8Array | undefined => {
  if (entry.kind === 'revoke') return entry.body.publicKey
  return entry.kind === 'rotate' ? entry.body.oldKey : undefined
}

/** An entry as it is stored. */
export const rowOf = ({ value, hash, bytes }: Signed<LogEntry>, superseded: number | null): LogRow => ({
  n: value.n,
  epoch: value.epoch,
  hash,
  kind: value.kind === 'unknown' ? value.kindNumber : entryKinds[value.kind],
  timeMs: value.timeMs,
  subject: subjectOf(value),
  envelope: bytes,
  superseded
})

export const genesisRow = ({ value, hash, bytes }: Signed<Genesis>): LogRow => ({
  n: 0,
  epoch: 0,
  hash,
  kind: entryKinds.genesis,
  timeMs: value.createdMs,
  subject: null,
  envelope: bytes,
  superseded: null
})
