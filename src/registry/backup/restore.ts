import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { equals } from 'uint8arrays/equals'
import { networkIdText } from '../../identity/network-id.ts'
import { type Clock, systemClock } from '../../runtime/clock-and-logger.ts'
import { StoreError, StoreInUseError, WrongNetworkError } from '../../runtime/errors.ts'
import { timedPath } from '../../runtime/files/timed-path.ts'
import { makeFolder } from '../../runtime/make-folder.ts'
import { comparePositions } from '../log/state/position.ts'
import { type Database, openDatabase, peekDatabase } from '../store/database.ts'
import { LogTable } from '../store/log-table.ts'
import { markRestored } from '../store/node-values.ts'
import { type BackupManifest, readManifest } from './manifest.ts'
import { type StoreReport, verifyStore } from './verify-store.ts'

export interface RestoreInit {
  backup: string
  /** The database file of the node, which no process may have open. */
  path: string
  /** The network that the node belongs to, where that is known. */
  networkId?: Uint8Array | undefined
  /** Also when the store that is there goes further than the backup. */
  older?: boolean
  /** Judges all of it and changes nothing. */
  plan?: boolean
  clock?: Clock
  /** Breaks it off while nothing was changed; after that it comes to its end. */
  signal?: AbortSignal | undefined
}

export interface Restored {
  manifest: BackupManifest
  report: StoreReport
  /** Path to which the store that was there has been moved; undefined: there was none, or it was a plan. */
  movedTo: string | undefined
}

/**
 * Puts a backup in the place of a node's store, after all of it was verified. The store that was there is moved aside. What comes of
 * it is a store of its own, and a root that starts on it appends nothing before it has heard the heads of others.
 *
 * @throws StoreInUseError when a process uses the store; StoreError for a backup that is damaged, or not the file of its manifest, and
 * for one that is behind the store; WrongNetworkError
 */
export async function restoreStore(init: RestoreInit): Promise<Restored> {
  const { backup, path, networkId, older = false, plan = false, clock = systemClock } = init
  const { signal = new AbortController().signal } = init
  const manifest = readManifest(backup)
  const report = await verifyStore(backup, signal)
  if (networkId !== undefined && !equals(report.networkId, networkId)) {
    throw new WrongNetworkError(
      `${backup} is of ${networkIdText(report.networkId)}, this node belongs to ${networkIdText(networkId)}: nothing was changed`
    )
  }
  const held = peekLog(path)
  if (held !== undefined && comparePositions(held, report) > 0 && !older) {
    throw new StoreError(
      `${path} holds the log up to entry ${held.n} of epoch ${held.epoch}, the backup only up to ${report.n} of ${report.epoch}: ` +
        'nothing was changed; add --older to go back nevertheless'
    )
  }
  if (plan) return { manifest, report, movedTo: undefined }
  signal.throwIfAborted()
  const nowMs = clock.now()
  const unfinished = `${path}.restoring`
  try {
    makeFolder(dirname(path), 0o700)
    rmSync(unfinished, { force: true })
    copyFileSync(backup, unfinished)
    mark(unfinished, { backupMs: manifest.createdMs, restoredMs: nowMs, epoch: report.epoch, n: report.n })
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw error
  }
  const movedTo = moveAside(path, nowMs)
  renameSync(unfinished, path)
  syncFolder(path)
  return { manifest, report, movedTo }
}

/** Puts the backup in the store's place, unless a broken-off try has done so or gathered more than it holds. @throws as restoreStore */
export async function restoreOnce(init: RestoreInit & { networkId: Uint8Array }): Promise<void> {
  const held = peekLog(init.path)
  const isOurs = held?.networkId !== undefined && equals(held.networkId, init.networkId)
  if (isOurs && comparePositions(held, readManifest(init.backup).head) >= 0) return
  await restoreStore(init)
}

/** The log in a store; undefined: there is no store, or one that is damaged, which is why a backup is restored. @throws StoreInUseError */
function peekLog(path: string): { networkId: Uint8Array | undefined; epoch: number; n: number } | undefined {
  try {
    return peekDatabase(path, (db) => {
      const table = new LogTable(db)
      const last = table.last()
      return last && { networkId: table.hashOf(0), epoch: last.epoch, n: last.n }
    })
  } catch (error) {
    if (error instanceof StoreInUseError || !(error instanceof StoreError)) throw error
    return undefined
  }
}

function mark(path: string, from: Parameters<typeof markRestored>[1]): void {
  const db: Database = openDatabase(path)
  try {
    markRestored(db, from)
  } finally {
    db.close()
  }
}

/** With what a killed process left in its write-ahead log. */
function moveAside(path: string, nowMs: number): string | undefined {
  if (!existsSync(path)) return undefined
  const target = timedPath(nowMs, (stamp) => `${path}.before-restore-${stamp}`)
  for (const ending of ['-wal', '-shm', '']) {
    if (existsSync(path + ending)) renameSync(path + ending, target + ending)
  }
  return target
}

function syncFolder(path: string): void {
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
