import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { Worker } from 'node:worker_threads'
import { toString as text } from 'uint8arrays/to-string'
import { networkIdText } from '../../identity/network-id.ts'
import { codeOf } from '../../runtime/error-code.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { StoreError } from '../../runtime/errors.ts'
import { openCheckpoint } from '../objects/checkpoint.ts'
import type { Signed } from '../objects/envelope.ts'
import type { Genesis } from '../objects/genesis.ts'
import type { CopyFacts } from '../store/copy-store.ts'
import type { Database } from '../store/database.ts'
import { storeIdKey } from '../store/node-values.ts'
import { type BackupManifest, manifestPath } from './manifest.ts'

/** A database holds none of them, and no registry comes back without. */
const lacks = [
  'node.key: without it the machine comes back as another node',
  'log.key: without it no machine comes back as the root',
  'recovery.kit: both authority keys, which replace a lost log.key'
]

export interface BackUpInit {
  db: Database
  genesis: Signed<Genesis>
  /** ms since 1970. */
  nowMs: number
}

/**
 * Copies an open store to a file, consistent while it is written to, and writes a manifest beside it. The copy is checked before it
 * takes the name, down to each signature: what the disk changed in the store is found here. It is a store of its own.
 *
 * @throws StoreError
 */
export async function backUp({ db, genesis, nowMs }: BackUpInit, path: string): Promise<BackupManifest> {
  const unfinished = `${path}.unfinished`
  let isCopied = false
  try {
    await db.backup(unfinished)
    isCopied = true
    // Cursors into the original must not count in what the copy becomes.
    const facts = await sealed(unfinished, [storeIdKey], genesis.hash)
    const manifest = manifestOf(facts, genesis, basename(path), nowMs)
    writeFileSync(`${unfinished}.json`, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flush: true })
    // A copy that is there has its manifest, whenever this process dies.
    renameSync(`${unfinished}.json`, manifestPath(path))
    renameSync(unfinished, path)
    return manifest
  } catch (error) {
    for (const left of [unfinished, `${unfinished}.json`, manifestPath(path)]) rmSync(left, { force: true })
    throw new StoreError(`the backup to ${path} failed (${reasonOf(error)}): ${nextAfter(error, isCopied)}`, {
      cause: error
    })
  }
}

/** Whatever neither SQLite nor the system names is a fault of the folder before the copy is there, and one of what was copied after it. */
const nextAfter = (error: unknown, isCopied: boolean): string => {
  const code = codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined)
  const isDamaged = code === undefined ? isCopied : /^SQLITE_(CORRUPT|NOTADB|ERROR)/.test(code)
  return isDamaged
    ? 'the store itself is damaged, or something else writes to its file; nothing was kept, and older backups are as they were. Stop this process, then: trustnet registry verify'
    : 'check the folder and its free space'
}

/** In a thread of its own: it reads all pages and verifies all signatures. */
async function sealed(path: string, dropped: readonly string[], networkId: Uint8Array): Promise<CopyFacts> {
  const isSource = import.meta.url.endsWith('.ts')
  const worker = new Worker(new URL(`./backup-worker.${isSource ? 'ts' : 'js'}`, import.meta.url), {
    workerData: { path, dropped, networkId },
    // Node strips types from source; generated code has namespaces, which it must be told to compile. Arguments of this process may be about its own input.
    execArgv: isSource ? ['--experimental-transform-types', '--disable-warning=ExperimentalWarning'] : []
  })
  const { promise, resolve, reject } = Promise.withResolvers<CopyFacts>()
  worker.once('message', resolve)
  worker.once('error', reject)
  worker.once('exit', () => reject(new StoreError('its check ended without a result')))
  return await promise
}

function manifestOf(facts: CopyFacts, genesis: Signed<Genesis>, file: string, createdMs: number): BackupManifest {
  const { domain, name } = genesis.value
  const checkpoint = facts.checkpoint && openCheckpoint(facts.checkpoint, genesis.hash).value
  const { last } = facts
  // The newest entry may have been compacted away: then the checkpoint says what it was.
  const head =
    checkpoint !== undefined && checkpoint.n >= (last?.n ?? 0)
      ? { epoch: checkpoint.epoch, n: checkpoint.n, hash: checkpoint.headHash }
      : (last ?? { epoch: 0, n: 0, hash: genesis.hash })
  return {
    format: 'trustnet-backup',
    version: 1,
    createdMs,
    database: { file, ...facts.file },
    schema: facts.schema,
    integrity: 'ok',
    network: { id: networkIdText(genesis.hash), domain, name },
    head: { epoch: head.epoch, n: head.n, hash: text(head.hash, 'base16') },
    checkpointMs: checkpoint?.timeMs ?? null,
    rows: { ...facts.rows },
    lacks
  }
}
