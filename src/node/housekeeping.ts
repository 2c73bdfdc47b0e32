import { spawn } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { loadKey } from '../identity/key-file.ts'
import { peerIdText } from '../identity/keys.ts'
import { type BackupManifest, manifestPath } from '../registry/backup/manifest.ts'
import type { Registry } from '../registry/registry.ts'
import { cleanEnvironment } from '../runtime/clean-environment.ts'
import type { Clock, Logger } from '../runtime/clock-and-logger.ts'
import { codeOf } from '../runtime/error-code.ts'
import { reasonOf } from '../runtime/error-message.ts'
import { timedPath } from '../runtime/files/timed-path.ts'
import { makeFolder } from '../runtime/make-folder.ts'
import type { Running, Supervisor } from '../runtime/supervisor.ts'
import { dataFiles } from './config/paths.ts'
import type { Config } from './config/schema.ts'

/** A backup and what stands in the file beside it. */
export interface MadeBackup {
  path: string
  manifest: BackupManifest
}

export interface HousekeepingInit {
  registry: Registry
  config: Config
  clock: Clock
  logger: Logger
}

const compactEveryMs = 3_600_000
const keyLookMs = 60_000
/** Time for the operator's alarm command. */
const hookTimeoutMs = 30_000
/** Key of the registry's own values; the time of the last backup as text, ms. */
const lastBackupKey = 'last-backup'
const backupName = /^registry-\d{8}T\d{6}(\d{3})?Z\.db$/

/** Work that a node does for itself now and then: backups, compaction of the log, and the operator's command for each alarm. */
export class Housekeeping {
  readonly #init: HousekeepingInit
  readonly #stops: (() => unknown)[] = []
  /** Public keys by the path of their file. */
  readonly #keys = new Map<string, string | undefined>()
  #backups: Promise<unknown> = Promise.resolve()
  #backing: Running | undefined
  #isStopped = false

  constructor(init: HousekeepingInit) {
    this.#init = init
  }

  start(services: Supervisor): void {
    const { config, registry, logger } = this.#init
    const compaction = services.run('compaction', {
      everyMs: compactEveryMs,
      round: () => registry.replica.compact(),
      onFailed: (error) => {
        logger.warn({ error: String(error) }, 'the log was not compacted; it is tried again in an hour')
        return undefined
      }
    })
    this.#stops.push(() => compaction.stop())
    this.#startBackups(services)
    this.rememberKeys()
    const keys = services.run('keys', { everyMs: keyLookMs, round: () => this.checkKeys() })
    this.#stops.push(() => keys.stop())
    const onAlarm = (event: CustomEvent<{ code: string; message: string }>): void => {
      const { hook } = config.alarms
      if (hook !== undefined) this.#run(hook, event.detail)
    }
    registry.events.addEventListener('alarm', onAlarm)
    this.#stops.push(() => registry.events.removeEventListener('alarm', onAlarm))
  }

  #startBackups(services: Supervisor): void {
    const { config, registry, logger } = this.#init
    const { enabled, intervalMs: everyMs } = config.backup
    this.#backing = undefined
    if (!enabled) return
    const backup = services.run('backup', {
      everyMs,
      firstMs: firstBackupMs(lastBackup(registry), everyMs, this.#init.clock.now()),
      round: async () => {
        const { path, manifest } = await this.backUp()
        logger.debug({ path, head: manifest.head.n }, 'the database was backed up; keys are not in it')
      },
      onFailed: ({ message }) => {
        registry.alarms.raise('no_backup', `${message}. It is tried again after backup.interval; older backups stay`)
        return undefined
      }
    })
    this.#backing = backup
  }

  /** Follows a changed configuration of backups: one series takes the place of another at once, so that there are never two. */
  async backupsAnew(services: Supervisor): Promise<void> {
    if (this.#isStopped) return
    const before = this.#backing
    this.#startBackups(services)
    await before?.stop()
  }

  /** The key files are right as they are now. */
  rememberKeys(): void {
    const { config, registry } = this.#init
    const paths = [config.paths.key, ...(registry.root === undefined ? [] : [dataFiles(config.paths.data).logKey])]
    for (const path of paths) this.#keys.set(path, keyIn(path).publicKey)
  }

  /** Keys are in memory, too: that a file is gone would be noticed by the next start alone, which would be as another node. */
  checkKeys(): void {
    const { config, registry } = this.#init
    // A root that was replaced deletes its log key itself.
    if (registry.root?.isReplaced === true) this.#keys.delete(dataFiles(config.paths.data).logKey)
    for (const [path, publicKey] of this.#keys) {
      const now = keyIn(path)
      if (now.publicKey === publicKey || now.isUnknown === true) continue
      const what = now.why ?? 'it holds another key now'
      const next = 'Put it back before the next start, which would be as another node, or no root'
      registry.alarms.raise('key_gone', `${path} is not what this process has: ${what}. ${next}`, { path })
    }
  }

  /** A backup that has begun is finished. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all([...this.#stops.map((stop) => stop()), this.#backing?.stop()])
    await this.#backups
  }

  /**
   * One backup, behind those that have begun, to a file of the operator's or into the folder of all, of which the oldest beyond `backup.keep` then go.
   * @throws StoreError
   */
  async backUp(to?: string): Promise<MadeBackup> {
    const backup = this.#backups.then(() => this.#backUp(to))
    this.#backups = backup.catch(() => undefined)
    return await backup
  }

  async #backUp(to: string | undefined): Promise<MadeBackup> {
    const { config, registry, clock } = this.#init
    const folder = backupFolder(config)
    dropLeft(folder, unfinishedName)
    dropHandedOver(config.paths.data)
    const now = clock.now()
    const path = to ?? timedPath(now, (stamp) => join(folder, `registry-${stamp}.db`))
    makeFolder(dirname(path), 0o700)
    const manifest = await registry.backup(path)
    // The backup is what saves a store that takes nothing any more.
    if (registry.storeFailure === undefined) await registry.meta.set(lastBackupKey, Buffer.from(String(now)))
    if (to === undefined) dropOldest(folder, config.backup.keep, basename(path))
    return { path, manifest }
  }

  /** The words of an alarm go in the environment, where a shell does not read them as commands. */
  #run(hook: string, { code, message }: { code: string; message: string }): void {
    const env = cleanEnvironment({ ALARM_CODE: code, ALARM_MESSAGE: message })
    const child = spawn(hook, { shell: true, stdio: 'ignore', env, timeout: hookTimeoutMs })
    const failed = (why: string): void =>
      this.#init.logger.warn({ code, error: why }, 'the alarm command failed; the alarm itself stays')
    child.once('error', (error) => failed(error.message))
    child.once('exit', (status, signal) => {
      if (status !== 0) failed(`it ended with ${signal ?? status}`)
    })
    child.unref()
  }
}

/** The machine could not look: no descriptor was free, or no memory. */
const lackOf: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM'])

const keyIn = (path: string): { publicKey?: string; why?: string; isUnknown?: boolean } => {
  try {
    return { publicKey: peerIdText(loadKey(path).publicKey) }
  } catch (error) {
    const code = error instanceof Error ? codeOf(error.cause) : undefined
    return { why: reasonOf(error), isUnknown: code !== undefined && lackOf.has(code) }
  }
}

/** Time that a start has for itself. */
const soonMs = 60_000

/** The pause before the first backup: the interval goes on over restarts, or one that restarts often would never have one. */
export const firstBackupMs = (lastMs: number | null, everyMs: number, nowMs: number): number =>
  Math.min(everyMs, Math.max(soonMs, (lastMs ?? 0) + everyMs - nowMs))

/** Time of the last backup, ms; null: there was none. */
export const lastBackup = ({ meta }: Pick<Registry, 'meta'>): number | null => {
  const last = meta.get(lastBackupKey)
  return last === undefined ? null : Number(Buffer.from(last).toString())
}

const backupFolder = (config: Config): string => config.backup.path ?? join(config.paths.data, 'backups')

/** Parts of a backup that a killed process has left. */
const unfinishedName = /^registry-\d{8}T\d{6}(\d{3})?Z\.db\.unfinished/
/** Files that a command fetches from here, and folders of copies that it reads, with the pid of the command. */
const handedOverName = /^\.(?:for|plan|read)-(\d+)-/

type IsLeft = (match: RegExpExecArray) => boolean

const dropLeft = (folder: string, name: RegExp, isLeft: IsLeft = () => true): void => {
  for (const each of existsSync(folder) ? readdirSync(folder) : []) {
    const match = name.exec(each)
    if (match !== null && isLeft(match)) rmSync(join(folder, each), { recursive: true, force: true })
  }
}

const dropHandedOver = (folder: string): void => dropLeft(folder, handedOverName, ([, pid]) => !isAlive(Number(pid)))

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // Another user's is one, too.
    return codeOf(error) === 'EPERM'
  }
}

/** Removes the oldest. One that bears a later time than the newest, `made`, is older all the same: the clock was ahead then, or is behind now. */
const dropOldest = (folder: string, keep: number, made: string): void => {
  const all = readdirSync(folder)
    .filter((name) => backupName.test(name))
    .toSorted()
  const behind = all.indexOf(made) + 1
  for (const name of [...all.slice(behind), ...all.slice(0, behind)].slice(0, -keep)) {
    const path = join(folder, name)
    for (const each of [path, manifestPath(path)]) rmSync(each, { force: true })
  }
}
