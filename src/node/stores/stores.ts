import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { equals } from 'uint8arrays/equals'
import { BlockFolder } from '../../content/block-folder.ts'
import { StoreQuotaError } from '../../content/errors.ts'
import { importFolder } from '../../content/import-folder.ts'
import { encodeLink } from '../../content/link.ts'
import { digestKey } from '../../content/walk.ts'
import type { SigningKey } from '../../identity/keys.ts'
import { maxRecordStores, type RecordStore } from '../../registry/objects/record-additions.ts'
import { type StoreManifest, sealStoreManifest } from '../../registry/objects/store-manifest.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { RefusedError } from '../../runtime/errors.ts'
import type { Config } from '../config/schema.ts'
import { Manifests } from './manifests.ts'
import {
  digestOf,
  isNewer,
  newestOf,
  rootsOf,
  type StoreEntry,
  stateText,
  storeKey,
  type Version
} from './store-entry.ts'
import { StoreFiles } from './store-files.ts'

export interface StoresInit {
  /** Folder of the blocks, and of what is known of stores. */
  folder: string
  networkId: Uint8Array
  key: SigningKey
  /** A reload changes it in place. */
  config: Config['stores']
  clock: Clock
  logger: Logger
  mostFollowed?: number
}

/** Stores of others beyond it are not followed: each of them is looked at again and again. */
const usualMost = 1024
/** Time for which a store that its owner has removed is named in its record, so that those who follow it hear of it. */
const removedMs = 30 * 86_400_000

type Content = Pick<StoreManifest, 'root' | 'sizeBytes' | 'files' | 'removed'>

/** The stores of this machine: those that it shares, and those of others that it has or fetches. Members are served from here. */
export class Stores {
  /** Those that members offer. */
  readonly manifests: Manifests
  /** The reason why a store is not as it should be, by its key. */
  readonly troubles = new Map<string, string>()
  /** Called when the disk has changed a block, which is gone. */
  onDamaged = (): void => {}
  readonly #init: StoresInit
  readonly #files: StoreFiles
  readonly #mostFollowed: number
  readonly #entries = new Map<string, StoreEntry>()
  /** Manifests of entries by the digest of their bytes. */
  #held = new Map<string, Version>()
  /** Highest seq of own stores that others show, by name: a restored node has signed newer ones than it knows of. */
  readonly #seen = new Map<string, number>()
  /** State of all when their room was freed last. */
  #tidied = ''
  #hasDropped = false
  #loading: Promise<void> | undefined
  #opening: Promise<BlockFolder> | undefined
  #blocks: BlockFolder | undefined

  constructor(init: StoresInit) {
    this.#init = init
    this.#mostFollowed = init.mostFollowed ?? usualMost
    this.manifests = new Manifests(init.networkId)
    this.#files = new StoreFiles(join(init.folder, 'list'), init.networkId)
  }

  /** False: this node has never had a store. */
  get isUsed(): boolean {
    return this.#loading !== undefined || existsSync(this.#init.folder)
  }

  get config(): Config['stores'] {
    return this.#init.config
  }

  /** Bytes of all blocks. */
  get usedBytes(): number {
    return this.#blocks?.bytes ?? 0
  }

  /** Reads what is known of stores, once. @throws the error of the system */
  async load(): Promise<void> {
    this.#loading ??= this.#load()
    try {
      await this.#loading
    } catch (error) {
      this.#loading = undefined
      throw error
    }
  }

  async #load(): Promise<void> {
    for (const entry of this.#files.load(this.#init.logger)) this.#entries.set(storeKey(entry.owner, entry.name), entry)
    this.#look()
    await this.#adoptOwn()
  }

  /** The same, and the folder of blocks. @throws the error of the system */
  async open(): Promise<BlockFolder> {
    await this.load()
    this.#opening ??= this.#open()
    try {
      return await this.#opening
    } catch (error) {
      this.#opening = undefined
      throw error
    }
  }

  async #open(): Promise<BlockFolder> {
    const { folder, config } = this.#init
    const onDamaged = (): void => this.onDamaged()
    const quotaBytes = (): number => config.quotaBytes
    this.#blocks = await BlockFolder.open({ folder: join(folder, 'blocks'), quotaBytes, onDamaged })
    return this.#blocks
  }

  /** Stores that the last key of this node has signed are signed anew. */
  async #adoptOwn(): Promise<void> {
    const { publicKey } = this.#init.key
    for (const entry of this.list()) {
      if (!entry.isOwn || equals(entry.owner, publicKey)) continue
      const [newest] = entry.versions
      const next: StoreEntry = { ...entry, owner: publicKey, versions: [] }
      if (newest === undefined) await this.save(next)
      else {
        // Those who follow it take what is newer.
        this.#seen.set(entry.name, newest.value.seq)
        await this.#issue(next, newest.value)
      }
      await this.drop(entry)
    }
  }

  /** A manifest or a block of a store that was checked against its digest. */
  async read(digest: Uint8Array): Promise<Uint8Array | undefined> {
    const manifest = this.#held.get(digestKey(digest)) ?? this.manifests.get(digest)
    return manifest?.bytes ?? (await this.#blocks?.read(digest))
  }

  /** By owner and name. */
  list(): StoreEntry[] {
    return [...this.#entries].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
  }

  get(owner: Uint8Array, name: string): StoreEntry | undefined {
    return this.#entries.get(storeKey(owner, name))
  }

  /** Stores that the record of this node names, the most important first. */
  announced(): RecordStore[] {
    const named = new Map<string, RecordStore>()
    const most = this.list().toSorted((a, b) => this.#rank(a) - this.#rank(b))
    for (const entry of most) {
      const version = newestOf(entry)
      if (version === undefined || named.has(entry.name) || named.size === maxRecordStores) continue
      if (!version.value.removed || this.#init.clock.now() - version.value.issuedMs < removedMs)
        named.set(entry.name, { name: entry.name, digest: digestOf(version) })
    }
    return [...named.values()]
  }

  #rank(entry: StoreEntry): number {
    if (entry.isOwn) return newestOf(entry)?.value.removed === true ? 1 : 0
    return entry.pinned ? 2 : entry.asked ? 3 : 4
  }

  /** Remembers a folder as a store of this node; `readFolder` makes its first version. @throws RefusedError */
  async share(name: string, folder: string, watch: boolean): Promise<StoreEntry> {
    await this.open()
    const { publicKey: owner } = this.#init.key
    const held = this.get(owner, name)
    if (held?.folder !== undefined && held.folder !== folder)
      throw new RefusedError(`${held.folder} is shared as ${name} here: give another name, or remove that store first`)
    const others = this.list().filter((entry) => entry.isOwn && entry !== held && entry.folder !== undefined)
    if (others.length >= maxRecordStores)
      throw new RefusedError(`a node shares at most ${maxRecordStores} stores: remove one, or share a folder above it`)
    const entry: StoreEntry = held ?? { ...noEntry, owner, name, isOwn: true, asked: true }
    entry.folder = folder
    entry.watch = watch
    await this.save(entry)
    return entry
  }

  /**
   * Reads the folder of an own store, and signs its next version. Gives false where nothing has changed.
   * @throws UnfitNameError, FolderChangedError, ContentLimitError, StoreQuotaError, or the error of the system
   */
  async readFolder(entry: StoreEntry, signal: AbortSignal): Promise<boolean> {
    const blocks = await this.open()
    const before = blocks.bytes
    try {
      return await this.#import(entry, blocks, signal)
    } catch (error) {
      signal.throwIfAborted()
      // The part that came leads nowhere. Where there was more of that kind there may be room now.
      await this.collect(signal)
      if (!(error instanceof StoreQuotaError) || blocks.bytes >= before) throw error
      return await this.#import(entry, blocks, signal)
    }
  }

  async #import(entry: StoreEntry, blocks: BlockFolder, signal: AbortSignal): Promise<boolean> {
    const { folder } = entry
    if (folder === undefined) return false
    using _ = blocks.lease()
    const put = async (block: { digest: Uint8Array; bytes: Uint8Array }): Promise<void> =>
      await blocks.put(block.digest, block.bytes)
    const made = await importFolder({ folder, put, symlinks: this.config.symlinks, modes: this.config.modes, signal })
    await blocks.flush()
    // It was removed meanwhile.
    if (entry.folder !== folder) return false
    const { root, size: sizeBytes, files } = made
    return await this.#issue(entry, { root: encodeLink(root), sizeBytes, files, removed: false })
  }

  /** Tells everybody that an own store is shared no more. */
  async unshare(entry: StoreEntry): Promise<void> {
    const [newest] = entry.versions
    // It may be being read: nothing is issued of what comes of that.
    entry.folder = undefined
    entry.watch = false
    if (newest === undefined) return await this.drop(entry)
    await this.#issue(entry, { ...newest.value, removed: true })
  }

  async #issue(entry: StoreEntry, { root, sizeBytes, files, removed }: Content): Promise<boolean> {
    const { networkId, key, clock } = this.#init
    const { name, versions } = entry
    const before = versions[0]?.value
    const seen = this.#seen.get(name) ?? 0
    const isSame = before !== undefined && equals(before.root, root) && before.removed === removed
    if (isSame && before.seq > seen) return false
    const seq = Math.max(before?.seq ?? 0, seen) + 1
    const content = { root, sizeBytes, files, removed }
    const manifest = { networkId, publicKey: key.publicKey, seq, name, ...content, issuedMs: clock.now() }
    const version = sealStoreManifest(manifest, key)
    entry.versions = removed ? [version] : [version, ...versions].slice(0, this.config.keep)
    await this.save(entry)
    return true
  }

  /** Somebody shows a version with the signature of this node. True where it is newer than all that is known here: a newer one is due. */
  sawOwn(version: Version): boolean {
    const { publicKey, name, seq } = version.value
    const newest = this.get(publicKey, name)?.versions[0]
    if (newest === undefined || !isNewer(version, newest) || seq <= (this.#seen.get(name) ?? 0)) return false
    this.#seen.set(name, seq)
    return true
  }

  /** No other store is followed. */
  get isFull(): boolean {
    return this.#entries.size >= this.#mostFollowed
  }

  /** Has a version of another's store fetched from now on. @throws RefusedError when there are too many */
  async follow(version: Version, asked: boolean): Promise<StoreEntry> {
    await this.open()
    const { publicKey: owner, name } = version.value
    const held = this.get(owner, name)
    if (held === undefined && this.isFull)
      throw new RefusedError(`${this.#mostFollowed} stores are followed here: remove one`)
    const entry: StoreEntry = held ?? { ...noEntry, owner, name, isOwn: false, asked }
    if (isNewer(version, newestOf(entry))) entry.coming = version
    entry.asked ||= asked
    entry.isDropped = false
    await this.save(entry)
    return entry
  }

  /** All blocks of a version are here, and outlast a power cut. */
  async completed(entry: StoreEntry, version: Version): Promise<void> {
    entry.versions = [version, ...entry.versions].slice(0, this.config.keep)
    if (entry.coming === version) entry.coming = undefined
    await this.save(entry)
  }

  /** Follows a store no more, and keeps what is here of it. */
  async keepAsItIs(entry: StoreEntry): Promise<void> {
    if (entry.versions.length === 0) return await this.drop(entry)
    entry.coming = undefined
    await this.save(entry)
  }

  async save(entry: StoreEntry): Promise<void> {
    // At once: whoever looks for it meanwhile would otherwise make another one.
    this.#entries.set(storeKey(entry.owner, entry.name), entry)
    await this.#files.save(entry)
    this.#look()
  }

  /** Carries a store over to the key that took the place of its owner's. */
  async moveTo(owner: Uint8Array, entry: StoreEntry): Promise<void> {
    const held = this.get(owner, entry.name)
    const versions = held === undefined || held.versions.length === 0 ? entry.versions : held.versions
    await this.save({ ...entry, owner, versions, coming: held?.coming })
    await this.drop(entry)
  }

  /** Forgets all of another's store but that it is not wanted. */
  async setAside(entry: StoreEntry): Promise<void> {
    const { owner, name } = entry
    this.#hasDropped = true
    await this.save({ ...noEntry, owner, name, isOwn: false, asked: false, isDropped: true })
    this.troubles.delete(storeKey(owner, name))
  }

  /** Forgets a store; `collect` frees its room. */
  async drop(entry: StoreEntry): Promise<void> {
    this.#hasDropped = true
    await this.#files.remove(entry)
    this.#entries.delete(storeKey(entry.owner, entry.name))
    this.troubles.delete(storeKey(entry.owner, entry.name))
    this.#look()
  }

  #look(): void {
    const versions = [...this.#entries.values()].flatMap((entry) => [entry.coming, ...entry.versions])
    const held = versions.flatMap((version) => (version === undefined ? [] : [version]))
    this.#held = new Map(held.map((version) => [digestKey(digestOf(version)), version]))
  }

  /**
   * Frees the room of what is not needed any more, where something has changed. What came of a version that another one has replaced is most
   * of that one, so nothing goes while one comes, unless somebody drops a store or the room is needed.
   */
  async tidy(signal: AbortSignal): Promise<void> {
    const entries = this.list()
    const now = entries.map(stateText).join()
    const isComing = entries.some(({ coming }) => coming !== undefined)
    if (now === this.#tidied || (isComing && !this.#hasDropped)) return
    this.#hasDropped = false
    await this.collect(signal)
    this.#tidied = now
  }

  /** Frees the room of what no store needs any more, and gives the bytes. */
  async collect(signal: AbortSignal): Promise<number> {
    const blocks = await this.open()
    return await blocks.collect(this.list().flatMap(rootsOf), signal)
  }
}

const noEntry: Omit<StoreEntry, 'owner' | 'name' | 'isOwn' | 'asked'> = {
  versions: [],
  coming: undefined,
  folder: undefined,
  writtenSeq: 0,
  written: [],
  watch: false,
  pinned: false,
  isDropped: false
}
