import type { Logger } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { inWords } from '../../runtime/files/system-error.ts'
import type { Running, Supervisor } from '../../runtime/supervisor.ts'
import { FolderWatch } from './folder-watch.ts'
import { type StoreEntry, storeKey } from './store-entry.ts'
import type { Stores } from './stores.ts'

export interface SharedFoldersInit {
  stores: Stores
  logger: Logger
  /** A store has another version, or another trouble. */
  onRead: () => void
}

const everyMs = 60_000
/** A folder that cannot be watched is read again after this time. */
const unwatchedMs = 600_000
/** Failures that the same folder would bring again: it is read when it changes, or when somebody asks. */
const lasting = new Set(['UnfitNameError', 'ContentLimitError', 'StoreQuotaError'])

/** Reads the folders that this node shares: when they are added, after a start, and when a watched one has changed. */
export class SharedFolders {
  readonly #init: SharedFoldersInit
  readonly #watches = new Map<string, FolderWatch>()
  /** Stores that are read in the next round; those that are not in here were not looked at yet. */
  readonly #due = new Map<string, boolean>()
  /** When a folder that cannot be watched was read last. */
  readonly #unwatched = new Map<string, number>()
  /** The store whose folder is being read. */
  #reading: string | undefined
  #running: Running | undefined

  constructor(init: SharedFoldersInit) {
    this.#init = init
  }

  start(services: Supervisor): void {
    this.#running = services.run('shared folders', { everyMs, firstMs: 0, round: (signal) => this.#round(signal) })
  }

  async stop(): Promise<void> {
    for (const watch of this.#watches.values()) watch[Symbol.dispose]()
    this.#watches.clear()
    await this.#running?.stop()
  }

  /** Reads the folder of a store as soon as can be. */
  ask({ owner, name }: Pick<StoreEntry, 'owner' | 'name'>): void {
    this.#due.set(storeKey(owner, name), true)
    this.#init.stores.troubles.delete(storeKey(owner, name))
    this.#running?.wake()
  }

  /** True until the folder of a store was read as it was when somebody asked, or a failure is told. */
  isReading({ owner, name }: Pick<StoreEntry, 'owner' | 'name'>): boolean {
    const key = storeKey(owner, name)
    return this.#reading === key || (this.#due.get(key) === true && !this.#init.stores.troubles.has(key))
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { stores } = this.#init
    if (!stores.isUsed) return
    await stores.load()
    const own = stores.list().filter(({ isOwn, folder }) => isOwn && folder !== undefined)
    this.#watchThese(own)
    for (const entry of own) if (this.#isDue(entry)) await this.#read(entry, signal)
  }

  /** Watches just these, where that is wanted. */
  #watchThese(own: readonly StoreEntry[]): void {
    const wanted = new Map(own.filter(({ watch }) => watch).map((entry) => [storeKey(entry.owner, entry.name), entry]))
    for (const [key, watch] of this.#watches) if (wanted.get(key)?.folder !== watch.folder) this.#unwatch(key)
    for (const [key, entry] of wanted) if (!this.#watches.has(key)) this.#watch(key, entry)
  }

  #unwatch(key: string): void {
    this.#watches.get(key)?.[Symbol.dispose]()
    this.#watches.delete(key)
  }

  #watch(key: string, entry: StoreEntry): void {
    const { folder } = entry
    if (folder === undefined) return
    const onReady = (): void => {
      // It was not watched for a while.
      if (this.#unwatched.delete(key)) this.ask(entry)
    }
    const onLost = (error: Error): void => this.#lost(key, entry, error)
    this.#watches.set(key, new FolderWatch({ folder, onChange: () => this.ask(entry), onReady, onLost }))
  }

  /** The watch is tried again in each round. */
  #lost(key: string, { name, folder }: StoreEntry, error: Error): void {
    this.#unwatch(key)
    if (this.#unwatched.has(key)) return
    this.#unwatched.set(key, performance.now())
    this.#init.logger.warn(
      { store: name, folder, error: inWords(reasonOf(error)) },
      'a shared folder cannot be watched: it is read again every 10 minutes; where the system has too few watches, raise fs.inotify.max_user_watches'
    )
  }

  /** One that is not watched is read until it has a version. */
  #isDue(entry: StoreEntry): boolean {
    const key = storeKey(entry.owner, entry.name)
    const due = this.#due.get(key)
    if (due !== undefined && due) return true
    const readMs = this.#unwatched.get(key)
    if (readMs !== undefined && performance.now() - readMs >= unwatchedMs) return true
    return due === undefined && (entry.watch || entry.versions.length === 0)
  }

  async #read(entry: StoreEntry, signal: AbortSignal): Promise<void> {
    const { stores, onRead } = this.#init
    const key = storeKey(entry.owner, entry.name)
    // A change from here on makes it due again.
    this.#due.set(key, false)
    if (this.#unwatched.has(key)) this.#unwatched.set(key, performance.now())
    this.#reading = key
    try {
      await stores.readFolder(entry, signal)
      stores.troubles.delete(key)
    } catch (error) {
      signal.throwIfAborted()
      this.#failed(entry, error)
    } finally {
      this.#reading = undefined
    }
    onRead()
  }

  #failed(entry: StoreEntry, error: unknown): void {
    const { stores, logger } = this.#init
    const { name, folder, versions } = entry
    const key = storeKey(entry.owner, name)
    if (!(error instanceof Error && lasting.has(error.name))) this.#due.set(key, true)
    const kept = versions.length === 0 ? 'nobody can fetch it yet' : 'others still get the version of before'
    const reason = inWords(reasonOf(error))
    const text = `${folder ?? name} could not be read: ${reason}; ${kept}`
    if (stores.troubles.get(key) !== text) logger.warn({ store: name, folder, error: reason }, text)
    stores.troubles.set(key, text)
  }
}
