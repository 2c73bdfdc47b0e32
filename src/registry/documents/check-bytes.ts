import { setImmediate as nextTurn } from 'node:timers/promises'
import { equals } from 'uint8arrays/equals'
import { sha256 } from '../../identity/hash.ts'
import { plainBytes } from '../../identity/key-id.ts'
import type { DocumentTable } from '../store/document-table.ts'

/** Bytes that are read and hashed before others have a turn: a few ms. */
const turnBytes = 1_048_576
/** Bytes that reading a row costs as much time as. */
const rowBytes = 4_096

/** Finding of a check: how many contents were looked at, and the digests that are not those of their bytes. */
interface CheckedBytes {
  readonly count: number
  readonly damaged: readonly Uint8Array[]
}

/** Reads all contents of documents and checks them against their digests, with pauses for others. @throws the reason of the signal */
export async function checkBytes(table: DocumentTable, signal: AbortSignal): Promise<CheckedBytes> {
  const damaged: Uint8Array[] = []
  let count = 0
  let bytes = 0
  for (let row = table.after(0); row !== undefined; row = table.after(row.place)) {
    signal.throwIfAborted()
    count++
    if (!equals(sha256(row.bytes), row.digest)) damaged.push(plainBytes(row.digest))
    bytes += rowBytes + row.bytes.byteLength
    if (bytes < turnBytes) continue
    await nextTurn()
    bytes = 0
  }
  return { count, damaged }
}
