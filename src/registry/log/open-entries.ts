import { LogMismatchError } from '../../runtime/errors.ts'
import { type LogEntry, openEntryAsync } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'
import { openProofsAsync, type Proofs } from './state/proofs.ts'

/** Entries that are checked at a time: a frame has about as many; the pool must not wait for the slowest of a few. */
const batchEntries = 256

/** An entry whose signature is valid, and what the envelopes inside it prove. */
export interface OpenedEntry {
  readonly entry: Signed<LogEntry>
  readonly proofs: Proofs
}

/**
 * Verifies entries in the thread pool, with the envelopes inside them, and that they ascend without a gap.
 * @throws InvalidEnvelopeError, InvalidPayloadError, InviteInvalidError, WrongNetworkError, UnsupportedVersionError, LogMismatchError
 */
export async function openEntries(envelopes: readonly Uint8Array[], networkId: Uint8Array): Promise<OpenedEntry[]> {
  const opened: OpenedEntry[] = []
  for (let i = 0; i < envelopes.length; i += batchEntries) {
    const batch = envelopes.slice(i, i + batchEntries)
    for (const one of await Promise.all(batch.map((bytes) => openOne(bytes, networkId)))) {
      const last = opened.at(-1)?.entry.value.n
      const { n } = one.entry.value
      if (last !== undefined && n !== last + 1) throw new LogMismatchError(`entry ${n} comes after entry ${last}`)
      opened.push(one)
    }
  }
  return opened
}

async function openOne(bytes: Uint8Array, networkId: Uint8Array): Promise<OpenedEntry> {
  const entry = await openEntryAsync(bytes, networkId)
  return { entry, proofs: await openProofsAsync(entry.value) }
}

/** Entries with a valid signature, in the order given. */
export async function* verified(
  envelopes: readonly Uint8Array[],
  networkId: Uint8Array
): AsyncGenerator<Signed<LogEntry>> {
  for (let i = 0; i < envelopes.length; i += batchEntries) {
    const batch = envelopes.slice(i, i + batchEntries)
    yield* await Promise.all(batch.map((bytes) => openEntryAsync(bytes, networkId)))
  }
}
