import { type EntryContent, entryKindOf, type LogEntry } from '../entry.ts'
import { bodyKinds } from '../entry-bodies.ts'
import type { Signed } from '../envelope.ts'
import { keyBytes } from '../fields.ts'
import { sha256 } from '../hash.ts'
import { Envelope, LogEntry as LogEntryMessage } from '../pb/registry.ts'

/**
 * Opens an entry that was verified before it was stored: signature and rules are not checked again, which at the start of a large
 * network would take minutes. Its hash is computed, so an edited row shows in the chain or in the state root.
 */
export function readStoredEntry(bytes: Uint8Array): Signed<LogEntry> {
  const { publicKey, payload } = Envelope.decode(bytes)
  const { networkId, n, prevHash, epoch, timeMs, kind: kindNumber, body } = LogEntryMessage.decode(payload)
  const content = contentOf(kindNumber, body)
  return {
    value: { networkId, n, prevHash, epoch, timeMs, ...content },
    signer: publicKey.subarray(publicKey.length - keyBytes),
    bytes,
    hash: sha256(payload)
  }
}

function contentOf(kindNumber: number, body: Uint8Array): EntryContent {
  const kind = entryKindOf(kindNumber)
  return kind === undefined ? { kind: 'unknown', kindNumber, body } : bodyKinds[kind].decode(body)
}
