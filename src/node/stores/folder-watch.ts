import { type FSWatcher, watch } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../../runtime/error-code.ts'

/** A folder in which nothing has happened for so long is read; one in which something always happens is read now and then. */
const quietMs = 2_000
const mostMs = 30_000

export interface FolderWatchInit {
  folder: string
  /** Something below it has changed, and it is quiet. */
  onChange: () => void
  /** All of it is watched from now on. */
  onReady: () => void
  /** Nothing is told from now on. */
  onLost: (error: Error) => void
}

/**
 * Tells when a folder, or something below it, has changed. Each folder has one watch, which tells of its files, too: the recursive watch of
 * Node has one for every file, and makes all of them before other work has its turn.
 */
export class FolderWatch implements Disposable {
  readonly folder: string
  readonly #init: FolderWatchInit
  /** By path. The watch of a folder that was moved stays with it: by its inode it is known. */
  readonly #watchers = new Map<string, { readonly watcher: FSWatcher; readonly inode: bigint }>()
  /** Folders in which there may be new ones. */
  readonly #changed = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #since: number | undefined
  #isOver = false

  constructor(init: FolderWatchInit) {
    this.#init = init
    this.folder = init.folder
    this.#work(async () => {
      await this.#add(init.folder)
      if (!this.#isOver) init.onReady()
    })
  }

  #work(work: () => Promise<void>): void {
    work().catch((error: unknown) => this.#lost(error instanceof Error ? error : new Error(String(error))))
  }

  #lost(error: Error): void {
    if (this.#isOver) return
    this[Symbol.dispose]()
    this.#init.onLost(error)
  }

  /** Watches a folder and those in it. One that is gone by then is none. @throws the error of the system, as for too many watches */
  async #add(folder: string): Promise<void> {
    try {
      await this.#open(folder)
      for (const entry of await readdir(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name)
        if (entry.isDirectory() && !this.#isOver && !(await this.#isWatched(path))) await this.#add(path)
      }
    } catch (error) {
      const isGone = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'
      if (!isGone || folder === this.folder) throw error
      this.#close(folder)
    }
  }

  async #isWatched(folder: string): Promise<boolean> {
    const watched = this.#watchers.get(folder)
    return watched !== undefined && (await inodeOf(folder).catch(() => undefined)) === watched.inode
  }

  async #open(folder: string): Promise<void> {
    const inode = await inodeOf(folder)
    if (this.#isOver) return
    this.#close(folder)
    const watcher = watch(folder, { persistent: false }, () => this.#happened(folder))
    watcher.on('error', (error) => (folder === this.folder ? this.#lost(error) : this.#close(folder)))
    this.#watchers.set(folder, { watcher, inode })
  }

  #close(folder: string): void {
    this.#watchers.get(folder)?.watcher.close()
    this.#watchers.delete(folder)
  }

  #happened(folder: string): void {
    const now = performance.now()
    this.#since ??= now
    this.#changed.add(folder)
    clearTimeout(this.#timer)
    const waitMs = Math.min(quietMs, Math.max(0, this.#since + mostMs - now))
    this.#timer = setTimeout(() => this.#work(() => this.#tell()), waitMs).unref()
  }

  /** New folders are watched first: what changes in them from then on is told, and what is in them already is read. */
  async #tell(): Promise<void> {
    const changed = [...this.#changed]
    this.#changed.clear()
    this.#since = undefined
    // Another one may be there by its name.
    for (const folder of changed) await this.#add(folder)
    if (!this.#isOver) this.#init.onChange()
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    for (const { watcher } of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }
}

const inodeOf = async (folder: string): Promise<bigint> => (await stat(folder, { bigint: true })).ino
