import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import { silentLogger, systemClock } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { StoreError } from '../../runtime/errors.ts'
import { checkBytes } from '../documents/check-bytes.ts'
import { openReplica, type Replica } from '../log/replica.ts'
import type { NetworkState } from '../log/state/network-state.ts'
import { verifySignatures } from '../log/verify-signatures.ts'
import { openCheckpointAsync } from '../objects/checkpoint.ts'
import { openEntryAsync } from '../objects/entry.ts'
import { openRecordAsync } from '../objects/record.ts'
import { countRows } from '../store/copy-store.ts'
import { type Database, openReadOnly } from '../store/database.ts'
import { DocumentTable } from '../store/document-table.ts'
import { GroupCommit } from '../store/group-commit.ts'
import { MetaTable } from '../store/meta-table.ts'
import { type Meta, metaOf } from '../store/node-values.ts'
import { integrityCheck } from '../store/store-checks.ts'
import { asStoreError } from '../store/store-errors.ts'
import { isCosigned, readCosignature } from '../witness/cosignature.ts'
import { Cosignatures } from '../witness/cosignatures.ts'
import { storedWords } from '../witness/stored-words.ts'

/** Contents of a store in which everything that is signed is right. */
export interface StoreReport {
  readonly networkId: Uint8Array
  readonly domain: string
  readonly epoch: number
  readonly n: number
  readonly headHash: Uint8Array
  /** Entries at or below it that are not live may be compacted. */
  readonly floor: number
  /** Time in the newest checkpoint, ms since 1970. */
  readonly checkpointMs: number | undefined
  /** Signatures that were verified, of entries and of records. */
  readonly entries: number
  readonly records: number
  /** Contents of documents that were checked against their digests. */
  readonly documents: number
  /** Those whose bytes the disk has changed, in words. A process that starts drops them, and fetches current ones from members. */
  readonly damagedDocuments: readonly string[]
  /** Words of witnesses that were verified, and the newest entry for which as many stand as the policy needs, or one. */
  readonly cosignatures: number
  readonly witnessed: { n: number; by: number; of: number } | undefined
  readonly members: number
  /** Proofs that one epoch has two histories; entries that a later epoch made void. */
  readonly forks: number
  readonly voided: number
  /** By table. */
  readonly rows: Readonly<Record<string, number>>
}

/**
 * Reads a whole store and checks all of it: pages and indexes, the chain of the log, each signature and whose it is, the state root of
 * the newest checkpoint, each record, and the bytes of documents. Changes nothing.
 *
 * @throws StoreInUseError when a process uses it; StoreError, StoreVersionError when anything is wrong; the reason of the signal
 */
export async function verifyStore(
  path: string,
  signal: AbortSignal = new AbortController().signal
): Promise<StoreReport> {
  const db = openReadOnly(path)
  try {
    integrityCheck(db, path)
    const commit = new GroupCommit(db)
    const replica = await openReplica({ db, commit, clock: systemClock, logger: silentLogger })
    signal.throwIfAborted()
    const { entries, records } = await signatures(db, replica.networkId, path, signal)
    const rows = countRows(db)
    const words = await checkWords(replica, metaOf(new MetaTable(db), commit), path)
    const documents = await checkDocuments(db, rows, replica.state, signal)
    const { epoch, n, hash } = replica.head
    return {
      networkId: replica.networkId,
      domain: replica.genesis.value.domain,
      epoch,
      n,
      headHash: hash,
      floor: replica.floor,
      checkpointMs: replica.checkpoint?.value.timeMs,
      entries,
      records,
      ...documents,
      ...words,
      members: replica.state.memberCount,
      forks: replica.forks().length,
      voided: replica.voided().length,
      rows
    }
  } catch (error) {
    throw asStoreError(error, path)
  } finally {
    db.close()
  }
}

/** Words of witnesses: each is signed, and about the log that is stored. */
async function checkWords(replica: Replica, meta: Meta, path: string) {
  const words = storedWords(meta)
  for (const { checkpoint: envelope, cosignature } of words) {
    const checkpoint = await openCheckpointAsync(envelope, replica.networkId)
    const word = readCosignature(cosignature)
    if (await isCosigned(checkpoint, word)) continue
    throw new StoreError(
      `${path} has a word that the witness ${peerIdText(word.witness)} has not signed: it was changed`
    )
  }
  const needed = Math.max(1, replica.state.policy.witnesses)
  const found = new Cosignatures({ replica, meta, clock: systemClock }).witnessed(needed)
  const witnessed = found && { n: found.checkpoint.value.n, by: found.by, of: found.of }
  return { cosignatures: words.length, witnessed }
}

/** A store of an older version has none. */
async function checkDocuments(db: Database, rows: StoreReport['rows'], state: NetworkState, signal: AbortSignal) {
  if (rows['document_bytes'] === undefined) return { documents: 0, damagedDocuments: [] }
  const { count, damaged } = await checkBytes(new DocumentTable(db), signal)
  const names = new Map<string, string>()
  for (const { digest, id, version, retired } of state.documents()) {
    if (retired === undefined) names.set(keyId(digest), `${id} (version ${version})`)
  }
  return { documents: count, damagedDocuments: damaged.map((digest) => names.get(keyId(digest)) ?? 'an old version') }
}

/** That each signer of an entry is the log key of its epoch, opening the replica has checked; that it did sign, is checked here. */
async function signatures(db: Database, networkId: Uint8Array, path: string, signal: AbortSignal) {
  try {
    return await verifySignatures(db, networkId, {
      entry: async (...envelope) => {
        signal.throwIfAborted()
        return await openEntryAsync(...envelope)
      },
      record: async (...envelope) => {
        signal.throwIfAborted()
        return await openRecordAsync(...envelope)
      }
    })
  } catch (error) {
    signal.throwIfAborted()
    throw new StoreError(
      `${path} is damaged or was changed (${reasonOf(error)}): ` +
        'a root restores its newest backup, any other node fetches its replica anew',
      { cause: error }
    )
  }
}
