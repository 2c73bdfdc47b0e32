import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { equals } from 'uint8arrays/equals'
import { sha256 } from '../identity/hash.ts'
import { codeOf } from '../runtime/error-code.ts'
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

/** Files that are waited for at once when they are made durable. */
const syncsAtOnce = 16
/** Blocks written since the last flush that are remembered; with more, one happens by itself. */
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
  /** Folders of blocks that were made or found. */
  readonly #made = new Set<string>()
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
      else blocks.#bytes += await roomOf(path)
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
    return await isThere(this.#path(key))
  }

  /** A block that was checked against its digest. One that is damaged is removed. */
  async read(digest: Uint8Array): Promise<Uint8Array | undefined> {
    const key = digestKey(digest)
    const bytes = await readWhole(this.#path(key))
    if (bytes === undefined || equals(sha256(bytes), digest)) return bytes
    await this.#turn(key, async () => {
      const again = await readWhole(this.#path(key))
      if (again === undefined || equals(sha256(again), digest)) return
      await this.#remove(key)
      this.#onDamaged()
    })
    return undefined
  }

  /** Stores a block whose bytes have this digest. @throws StoreQuotaError, or the error of the system: nothing is left of it then */
  async put(digest: Uint8Array, bytes: Uint8Array): Promise<void> {
    const key = digestKey(digest)
    if (this.#leases > 0) this.#leased.add(key)
    await this.#turn(key, async () => await this.#write(key, bytes))
    if (this.#unsynced.size >= maxUnsynced) await this.flush()
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
    const room = await roomOf(this.#path(key))
    await rm(this.#path(key), { force: true })
    this.#bytes -= room
  }

  async #write(key: string, bytes: Uint8Array): Promise<void> {
    const path = this.#path(key)
    const there = await readWhole(path)
    // Another file is what a power cut left, or a failing disk.
    if (there !== undefined && equals(there, bytes)) return
    const more = Math.max(bytes.length, leastBytes) - (there === undefined ? 0 : await roomOf(path))
    if (more > 0 && this.#bytes + more > this.#quotaBytes())
      throw new StoreQuotaError(
        `the blocks of all stores would take more than ${this.#quotaBytes()} bytes (stores.quotaBytes); remove a store, or raise it`
      )
    this.#bytes += more
    const folder = dirname(path)
    const part = join(folder, unfinished + randomBytes(8).toString('hex'))
    try {
      if (!this.#made.has(folder)) await haveFolder(folder)
      this.#made.add(folder)
      await writeWhole(part, bytes)
      await rename(part, path)
    } catch (error) {
      this.#bytes -= more
      this.#made.delete(folder)
      await rm(part, { force: true })
      throw error
    }
    this.#unsynced.add(path)
  }

  /** Resolves when all blocks that were put outlast a power cut. */
  async flush(): Promise<void> {
    const paths = [...this.#unsynced]
    this.#unsynced = new Set()
    const folders = new Set(paths.map(dirname)).add(this.#folder)
    for (const all of [paths, [...folders]])
      for (let at = 0; at < all.length; at += syncsAtOnce)
        await Promise.all(all.slice(at, at + syncsAtOnce).map(syncPath))
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

const isThere = async (path: string): Promise<boolean> => (await lstatIfThere(path)) !== undefined

async function roomOf(path: string): Promise<number> {
  const found = await lstatIfThere(path)
  return found === undefined ? 0 : Math.max(found.size, leastBytes)
}

async function lstatIfThere(path: string) {
  try {
    return await lstat(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function readWhole(path: string): Promise<Uint8Array | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    const { size } = await file.stat()
    // Longer than any block: its digest cannot be right.
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(Math.min(size, maxBlockBytes + 1)).buffer)
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
    return bytes.subarray(0, bytesRead)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  await file.writeFile(bytes)
}

async function haveFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    // Somebody has removed the one above it.
    if (codeOf(error) === 'ENOENT') makeFolder(path, 0o700)
    else if (codeOf(error) !== 'EEXIST') throw error
  }
}
