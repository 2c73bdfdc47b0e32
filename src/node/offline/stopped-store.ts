import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { sha256 } from '../../identity/hash.ts'
import { peerIdText } from '../../identity/keys.ts'
import { networkFingerprint, networkIdText, parseNetworkId } from '../../identity/network-id.ts'
import { backUp } from '../../registry/backup/backup.ts'
import { diffStores } from '../../registry/backup/diff-stores.ts'
import { type RestoreInit, restoreStore } from '../../registry/backup/restore.ts'
import { type StoreReport, verifyStore } from '../../registry/backup/verify-store.ts'
import { verifyForkProof } from '../../registry/log/forks/fork-proof.ts'
import { openStoredGenesis } from '../../registry/log/stored-genesis.ts'
import { peekGenesis } from '../../registry/registry.ts'
import { openDatabase } from '../../registry/store/database.ts'
import { systemClock } from '../../runtime/clock-and-logger.ts'
import { NotFoundError, StoreError } from '../../runtime/errors.ts'
import { readText } from '../../runtime/files/read-file.ts'
import { makeFolder } from '../../runtime/make-folder.ts'
import { backupView, refuseTaken } from '../actions/backup.ts'
import type { BackupView } from '../api/registry-views.ts'
import { dataFiles } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { dropNote } from './unfinished-network.ts'

/** A backup of the store of a node that does not run. @throws NotFoundError, StoreInUseError, StoreError */
export async function backUpStopped({ paths }: Config, to: string): Promise<BackupView> {
  const { store } = dataFiles(paths.data)
  refuseTaken(to)
  const genesis = peekGenesis(store)
  if (genesis === undefined)
    throw new NotFoundError(
      `there is no network in ${store}, and nothing to back up: name its node with --name or --config`
    )
  makeFolder(dirname(to), 0o700)
  const db = openDatabase(store)
  try {
    const manifest = await backUp({ db, genesis: openStoredGenesis(genesis), nowMs: systemClock.now() }, to)
    return backupView({ path: to, manifest })
  } finally {
    db.close()
  }
}

/** Damaged documents that a message names. */
const mostNamed = 5

/** Answer of `registry verify` for a store. */
export interface VerifyView {
  path: string
  network: { id: string; fingerprint: string; domain: string }
  head: { epoch: number; n: number; hash: string }
  floor: number
  checkpointMs: number | null
  entries: number
  records: number
  /** Contents that were hashed. */
  documents: number
  /** Words of witnesses that were verified, and the newest entry for which enough of them stand; null: none does. */
  cosignatures: number
  witnessed: { n: number; by: number; of: number } | null
  members: number
  forks: number
  voided: number
  rows: Record<string, number>
}

/** Checks a store that no process uses, or a backup. @throws StoreInUseError, StoreError, StoreVersionError */
export async function verifyStoreAt(path: string, signal?: AbortSignal): Promise<VerifyView> {
  const report = await verifyStore(path, signal)
  const { damagedDocuments: damaged } = report
  if (damaged.length === 0) return verifyView(path, report)
  const more = damaged.length > mostNamed ? `, and ${damaged.length - mostNamed} more` : ''
  throw new StoreError(
    `${path}: the disk has changed the bytes of documents: ${damaged.slice(0, mostNamed).join(', ')}${more}; ` +
      'all else is right. A process that starts on it drops them, and fetches current ones from other members'
  )
}

const verifyView = (path: string, report: StoreReport): VerifyView => {
  const {
    networkId,
    domain,
    epoch,
    n,
    headHash,
    checkpointMs,
    rows,
    damagedDocuments: _,
    witnessed,
    ...counts
  } = report
  return {
    path,
    network: { id: networkIdText(networkId), fingerprint: networkFingerprint(networkId), domain },
    head: { epoch, n, hash: Buffer.from(headHash).toString('hex') },
    checkpointMs: checkpointMs ?? null,
    ...counts,
    witnessed: witnessed ?? null,
    rows: { ...rows }
  }
}

/** Answer of `registry restore`. */
export interface RestoreView {
  path: string
  backup: string
  createdMs: number
  head: { epoch: number; n: number; hash: string }
  members: number
  /** Path to which the store that was there has been moved; null: there was none, or it was a plan. */
  movedTo: string | null
  /** Keys that the backup lacks and that are not there either. */
  missing: string[]
}

/** Puts a backup in place of the store of a node that does not run. @throws as restoreStore */
export async function restoreHere(
  config: Config,
  backup: string,
  older: boolean,
  signal?: AbortSignal
): Promise<RestoreView> {
  const view = await restored(config, { backup, older, signal })
  dropNote(config.paths)
  return view
}

/** Checks a restore and says what it would do. Nothing is changed. @throws as restoreStore */
export const planRestore = async (
  config: Config,
  backup: string,
  older: boolean,
  signal?: AbortSignal
): Promise<RestoreView> => await restored(config, { backup, older, signal, plan: true })

async function restored(config: Config, init: Omit<RestoreInit, 'path' | 'networkId'>): Promise<RestoreView> {
  const { role, networkId, paths } = config
  const { store, logKey } = dataFiles(paths.data)
  const pin = networkId === undefined ? undefined : parseNetworkId(networkId)
  const { manifest, report, movedTo } = await restoreStore({ ...init, path: store, networkId: pin })
  const keys = role === 'root' ? [paths.key, logKey] : [paths.key]
  return {
    path: store,
    backup: init.backup,
    createdMs: manifest.createdMs,
    head: manifest.head,
    members: report.members,
    movedTo: movedTo ?? null,
    missing: keys.filter((path) => !existsSync(path))
  }
}

export const storeOf = ({ paths }: Config): string => dataFiles(paths.data).store

/** Answer of `registry verify --proof`. */
export interface ProofView {
  path: string
  network: { id: string; fingerprint: string; domain: string }
  epoch: number
  /** two: one number, two entries; missing: an entry that holds for ever, and a later state without it. */
  kind: 'two' | 'missing'
  /** The entry of which the log key has signed two, or that is missing. */
  n: number
  signer: string
  hashes: string[]
}

/** Two statements, the delegations before them, and the rows of a state that lacks an entry. */
const maxProofBytes = 16 * 1024 * 1024

/** Checks the proof of a fork with nothing but the file. @throws InvalidPayloadError when it proves nothing */
export function verifyProofAt(path: string): ProofView {
  const { networkId, domain, epoch, kind, n, signer, hashes } = verifyForkProof(readText(path, maxProofBytes))
  const network = { id: networkIdText(networkId), fingerprint: networkFingerprint(networkId), domain }
  return { path, network, epoch, kind, n, signer, hashes: [...hashes] }
}

/** Answer of `registry diff`. */
export interface DiffView {
  path: string
  other: string
  same: boolean
  head: { epoch: number; n: number }
  otherHead: { epoch: number; n: number }
  /** The first entry that both have and that is another. */
  differsFrom: number | null
  entries: { onlyHere: number; onlyThere: number }
  records: { newerHere: number; newerThere: number; onlyHere: number; onlyThere: number }
  /** SHA-256 of the digest over all records. */
  digest: string
  otherDigest: string
  /** At most 50 of the records that differ: seq on each side, null where there is none. */
  differing: { peerId: string; here: number | null; there: number | null }[]
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Differences of a store from a backup, or from the store of another registry. @throws as diffStores */
export function diffStoresAt(path: string, other: string): DiffView {
  const found = diffStores(path, other)
  const { head, otherHead, differsFrom, entriesOnlyHere, entriesOnlyThere, records } = found
  const entries = { onlyHere: entriesOnlyHere, onlyThere: entriesOnlyThere }
  const counts = [...Object.values(entries), ...Object.values(records)]
  const same = differsFrom === undefined && counts.every((count) => count === 0)
  const differing = found.differing.map(({ publicKey, here, there }) => ({
    peerId: peerIdText(publicKey),
    here: here ?? null,
    there: there ?? null
  }))
  const digests = { digest: hex(sha256(found.digest)), otherDigest: hex(sha256(found.otherDigest)) }
  const logs = { head, otherHead, differsFrom: differsFrom ?? null, entries }
  return { path, other, same, ...logs, records, ...digests, differing }
}
