import { randomBytes } from 'node:crypto'
import { lstat, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { codeOf } from '../runtime/error-code.ts'
import { reasonOf } from '../runtime/error-message.ts'
import { fileThread } from '../runtime/files/file-thread.ts'
import { syncPath } from '../runtime/files/sync-path.ts'
import { makeFolder } from '../runtime/make-folder.ts'
import { StoreQuotaError } from './errors.ts'
import type { Link } from './link.ts'
import { maxBlockBytes } from './node.ts'
import { digestKey, reachable } from './walk.ts'

export interface BlockFolderInit {
  readonly folder: string
  /** Bytes that all blocks may take, each `leastBytes` at least. Asked for each time: a reload changes it. */
  readonly quotaBytes: () => number
  /** The disk has changed a block, which is gone: whoever has its content puts it again. */
  readonly onDamaged?: () => void
}

/** Files that are waited for at once when they are made durable: one thread of the pool is left to others. */
const syncsAtOnce = 3
/** Blocks written since the last flush with which the next one begins by itself, and with which it is waited for. */
const someUnsynced = 64
const maxUnsynced = 4096
const unfinished = '.part-'
/** A file takes so much of most disks, however short it is: who sends blocks of four bytes gets no thousandth of the room for free. */
const leastBytes = 4096

/**
 * Blocks of all stores and versions, each a file named by its digest, so that nothing is kept twice. A block is whole or not there: it is
 * written under another name first, and what a power cut left of it fails the check of whoever reads it.
 */
export class BlockFolder {
  readonly #folder: string
  readonly #quotaBytes: () => number
  readonly #onDamaged: () => void
  /** The last write or removal of each block that is under way: they come one after the other. */
  readonly #turns = new Map<string, Promise<void>>()
  #unsynced = new Set<string>()
  /** Folders of files that were flushed; they were not. */
  readonly #changed = new Set<string>()
  #flushed: Promise<void> = Promise.resolve()
  /** The flush that nobody waits for, and why one failed. */
  #flushing: Promise<void> | undefined
  #flushFailure: Error | undefined
  /** Blocks that somebody has put or looked for while a lease is held. */
  readonly #leased = new Set<string>()
  #leases = 0
  #bytes = 0

  private constructor({ folder, quotaBytes, onDamaged = () => {} }: BlockFolderInit) {
    this.#folder = folder
    this.#quotaBytes = quotaBytes
    this.#onDamaged = onDamaged
  }

  static async open(init: BlockFolderInit): Promise<BlockFolder> {
    makeFolder(init.folder, 0o700)
    const blocks = new BlockFolder(init)
    for await (const { path, name } of blocks.#files()) {
      if (name.startsWith(unfinished)) await rm(path, { force: true })
      else blocks.#bytes += roomOf((await sizeOf(path)) ?? 0)
    }
    return blocks
  }

  /** Bytes that all blocks take. */
  get bytes(): number {
    return this.#bytes
  }

  async has(digest: Uint8Array): Promise<boolean> {
    const key = digestKey(digest)
    // Before the look: a collection that has begun to remove it is waited for, and a later one leaves it.
    if (this.#leases > 0) this.#leased.add(key)
    await this.#turns.get(key)
    return (await sizeOf(this.#path(key))) !== undefined
  }

  /** A block that was checked against its digest. One that is damaged is removed. */
  async read(digest: Uint8Array): Promise<Uint8Array | undefined> {
    const key = digestKey(digest)
    const found = await this.#find(key)
    if (found === undefined || found.isWhole) return found?.bytes
    await this.#turn(key, async () => {
      const again = await this.#find(key)
      if (again === undefined || again.isWhole) return
      await this.#remove(key)
      this.#onDamaged()
    })
    return undefined
  }

  async #find(key: string): Promise<{ bytes: Uint8Array; isWhole: boolean } | undefined> {
    // Longer than any block: its digest cannot be right.
    const found = await fileThread.read(this.#path(key), maxBlockBytes + 1)
    return found && { bytes: found.bytes, isWhole: found.sha256 === key }
  }

  /** Stores a block whose bytes have this digest. @throws StoreQuotaError, or the error of the system: nothing is left of it then */
  async put(digest: Uint8Array, bytes: Uint8Array): Promise<void> {
    const key = digestKey(digest)
    if (this.#leases > 0) this.#leased.add(key)
    await this.#turn(key, async () => await this.#write(key, bytes))
    if (this.#unsynced.size >= maxUnsynced) await this.flush()
    else if (this.#unsynced.size >= someUnsynced) this.#flushMeanwhile()
  }

  async #turn(key: string, work: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#turns.get(key)
    this.#turns.set(key, promise)
    await before
    try {
      await work()
    } finally {
      if (this.#turns.get(key) === promise) this.#turns.delete(key)
      resolve()
    }
  }

  /** Removes a block in its turn. */
  async #remove(key: string): Promise<void> {
    const size = await sizeOf(this.#path(key))
    await rm(this.#path(key), { force: true })
    if (size !== undefined) this.#bytes -= roomOf(size)
  }

  async #write(key: string, bytes: Uint8Array): Promise<void> {
    const path = this.#path(key)
    const room = roomOf(bytes.length)
    if (this.#bytes + room > this.#quotaBytes()) {
      const there = await this.#find(key)
      if (there?.isWhole === true) return
      const more = room - (there === undefined ? 0 : roomOf(there.bytes.length))
      if (more > 0 && this.#bytes + more > this.#quotaBytes())
        throw new StoreQuotaError(
          `the blocks of all stores would take more than ${this.#quotaBytes()} bytes (stores.quotaBytes); remove a store, or raise it`
        )
    }
    this.#bytes += room
    const part = join(dirname(path), unfinished + randomBytes(8).toString('hex'))
    try {
      // Another file is what a power cut left, or a failing disk.
      const { isSame, sizeBefore } = await fileThread.write(path, part, bytes)
      if (sizeBefore !== undefined) this.#bytes -= roomOf(sizeBefore)
      if (!isSame) this.#unsynced.add(path)
    } catch (error) {
      this.#bytes -= room
      throw error
    }
  }

  /** Resolves when all blocks that were put outlast a power cut. @throws the error of the system, also of what was flushed meanwhile */
  async flush(): Promise<void> {
    // One after the other: what is asked for here may be among what an earlier one has begun with.
    const flushed = this.#flushed.then(() => this.#flush())
    this.#flushed = flushed.catch(() => {})
    await flushed
  }

  async #flush(): Promise<void> {
    await Promise.all([this.#flushing, this.#syncFiles()])
    const folders = [...this.#changed, this.#folder]
    this.#changed.clear()
    await syncAll(folders)
    const failure = this.#flushFailure
    this.#flushFailure = undefined
    if (failure !== undefined) throw failure
  }

  /** The disk takes what was put while more comes. Folders change with each block: they are left for the end. */
  #flushMeanwhile(): void {
    this.#flushing ??= this.#syncFiles()
      .catch((error: unknown) => {
        this.#flushFailure = error instanceof Error ? error : new Error(reasonOf(error))
      })
      .finally(() => {
        this.#flushing = undefined
      })
  }

  async #syncFiles(): Promise<void> {
    const paths = [...this.#unsynced]
    this.#unsynced = new Set()
    for (const path of paths) this.#changed.add(dirname(path))
    await syncAll(paths)
  }

  /** Keeps what is put or found from here on, until it is disposed of. An import and a fetch hold one: nothing leads to their blocks yet. */
  lease(): Disposable {
    this.#leases++
    return {
      [Symbol.dispose]: () => {
        if (--this.#leases === 0) this.#leased.clear()
      }
    }
  }

  /** Removes the blocks to which none of these roots leads, and gives their bytes. */
  async collect(roots: Iterable<Link>, signal: AbortSignal): Promise<number> {
    // An import or a fetch that ends meanwhile has made roots that these are not.
    using _ = this.lease()
    const kept = new Set<string>()
    const read = async (digest: Uint8Array) => await this.read(digest)
    for (const root of roots)
      for await (const key of reachable(root, read)) {
        signal.throwIfAborted()
        kept.add(key)
      }
    const before = this.#bytes
    for await (const { key, name } of this.#files()) {
      signal.throwIfAborted()
      if (name.startsWith(unfinished) || kept.has(key)) continue
      await this.#turn(key, async () => {
        if (!this.#leased.has(key)) await this.#remove(key)
      })
    }
    return before - this.#bytes
  }

  async *#files(): AsyncGenerator<{ path: string; key: string; name: string }> {
    for (const start of await readdir(this.#folder)) {
      const folder = join(this.#folder, start)
      for (const name of await readdir(folder)) yield { path: join(folder, name), key: start + name, name }
    }
  }

  #path(key: string): string {
    return join(this.#folder, key.slice(0, 2), key.slice(2))
  }
}

/** Bytes of the disk that a file takes. */
const roomOf = (size: number): number => Math.max(size, leastBytes)

async function syncAll(paths: readonly string[]): Promise<void> {
  for (let at = 0; at < paths.length; at += syncsAtOnce)
    await Promise.all(paths.slice(at, at + syncsAtOnce).map(syncPath))
}

/** undefined: there is no such file. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).size
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
