import type { PeerId } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import type { BlockFolder } from '../../content/block-folder.ts'
import { BlockMissingError, ContentLimitError, StoreQuotaError } from '../../content/errors.ts'
import { type ExportInit, exportFolder } from '../../content/export-folder.ts'
import { type Blocks, fetchContent } from '../../content/fetch-content.ts'
import { contentLimits } from '../../content/import-folder.ts'
import { decodeLink } from '../../content/link.ts'
import type { BlockExchange } from '../../protocols/blocks/index.ts'
import type { StoreManifest } from '../../registry/objects/store-manifest.ts'
import { inBackground } from '../../runtime/background.ts'
import { Backoff } from '../../runtime/backoff.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { inWords } from '../../runtime/files/system-error.ts'
import { roomText } from './room.ts'
import { isUnwritten, type StoreEntry, storeKey, type Version } from './store-entry.ts'
import type { Stores } from './stores.ts'

export interface StoreFetchesInit {
  stores: Stores
  exchange: BlockExchange
  /** Members that may have blocks of a version. */
  sources: (entry: StoreEntry, version: Version) => PeerId[]
  /** Name of a store for people: `alice/music`. */
  nameOf: (entry: Pick<StoreEntry, 'owner' | 'name'>) => string
  logger: Logger
  /** Something is different that a view shows; a version is here, or will not come. */
  onChange: () => void
  /** A version will not come before somebody does something. */
  onRefused: (entry: StoreEntry, why: string) => void
}

/** Work at one store. */
interface Active {
  readonly ended: AbortController
  readonly work: Promise<void>
  /** Bytes that came. */
  bytes: number
}

/** Modes of written files and folders, by who may read them. */
const modes = {
  owner: { file: 0o600, folder: 0o700, program: 0o700 },
  group: { file: 0o640, folder: 0o750, program: 0o750 },
  all: { file: 0o644, folder: 0o755, program: 0o755 }
}
/** Versions of one folder that are remembered while none of them comes to its end. */
const mostWritten = 8
/** Stores that are fetched or written at once. */
const atOnce = 4
/** A folder that cannot be written is tried again after this time, or when somebody asks: all its files are looked at. */
const unwrittenMs = 300_000
/** Names and links beside the bytes of the files: what is fetched of a store ends there, whatever its manifest says. */
const moreBytes = 16 * 2 ** 20
const moreBytesOfFile = 1024

/** Brings the blocks of the stores that are followed, and their files into the folders that are wanted. */
export class StoreFetches {
  readonly #init: StoreFetchesInit
  readonly #active = new Map<string, Active>()
  /** Stores at which nothing begins, as they are being dropped or moved. */
  readonly #ended = new Set<string>()
  /** Stores that rest after a try that brought not all, until when. */
  readonly #resting = new Map<string, { untilMs: number; readonly backoff: Backoff }>()
  /** Versions that are not asked for again. */
  #refused = new WeakSet<Version>()
  #isStopped = false

  constructor(init: StoreFetchesInit) {
    this.#init = init
  }

  /** Bytes that came of a store since its fetch began; undefined: none goes on. */
  bytesOf({ owner, name }: Pick<StoreEntry, 'owner' | 'name'>): number | undefined {
    return this.#active.get(storeKey(owner, name))?.bytes
  }

  isRefused(version: Version): boolean {
    return this.#refused.has(version)
  }

  /** Tries again what there was no room for, or what rests. */
  again(): void {
    const { stores } = this.#init
    this.#refused = new WeakSet()
    this.#resting.clear()
    // Whoever asked waits for what becomes of it now.
    for (const { owner, name, isOwn } of stores.list()) if (!isOwn) stores.troubles.delete(storeKey(owner, name))
    this.fill()
  }

  /** Begins what is due, as much as goes on at once. */
  fill(): void {
    for (const entry of this.#init.stores.list()) {
      if (this.#isStopped || this.#active.size >= atOnce) return
      const key = storeKey(entry.owner, entry.name)
      const untilMs = this.#resting.get(key)?.untilMs ?? 0
      const isFree = !this.#active.has(key) && !this.#ended.has(key)
      if (isFree && this.#isDue(entry) && performance.now() >= untilMs) this.#begin(key, entry)
    }
  }

  #isDue(entry: StoreEntry): boolean {
    if (entry.isOwn) return false
    return entry.coming !== undefined || isUnwritten(entry)
  }

  #begin(key: string, entry: StoreEntry): void {
    const ended = new AbortController()
    const work = this.#work(entry, ended.signal).finally(() => {
      this.#active.delete(key)
      this.fill()
    })
    this.#active.set(key, { ended, work, bytes: 0 })
    inBackground(work, 'fetching a store')
  }

  /** Does something, as dropping it, while nothing else is done at a store. */
  async without({ owner, name }: StoreEntry, work: () => Promise<void>): Promise<void> {
    const key = storeKey(owner, name)
    const active = this.#active.get(key)
    this.#ended.add(key)
    try {
      active?.ended.abort(new Error('the store was removed'))
      await active?.work
      await work()
    } finally {
      this.#ended.delete(key)
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    const all = [...this.#active.values()]
    for (const { ended } of all) ended.abort(new Error('the node stops'))
    await Promise.all(all.map(({ work }) => work))
  }

  async #work(entry: StoreEntry, signal: AbortSignal): Promise<void> {
    const { stores, onChange } = this.#init
    const { coming } = entry
    const key = storeKey(entry.owner, entry.name)
    try {
      // The caller enters it first.
      await Promise.resolve()
      const isThere = coming === undefined || (await this.#fetch(entry, coming, signal))
      if (isThere && coming !== undefined) await stores.completed(entry, coming)
      if (isThere && isUnwritten(entry)) await this.#write(entry, signal)
      if (isThere) this.#settled(key)
      else this.#rest(key, 'nobody who can be reached has the rest of it: it is asked for again')
    } catch (error) {
      if (!signal.aborted) await this.#failed(entry, error, signal)
    }
    onChange()
  }

  async #fetch(entry: StoreEntry, version: Version, signal: AbortSignal): Promise<boolean> {
    const { stores, exchange, sources } = this.#init
    requireFit(version, stores.config.quotaBytes)
    const blocks = await stores.open()
    using _ = blocks.lease()
    const into = new Bounded(blocks, version.value, (bytes) => this.#came(entry, bytes))
    const options = { sources: () => sources(entry, version), signal }
    const isWhole = await fetchContent(decodeLink(version.value.root), into, (wants) => exchange.fetch(wants, options))
    await blocks.flush()
    return isWhole
  }

  #came({ owner, name }: StoreEntry, bytes: number): void {
    const active = this.#active.get(storeKey(owner, name))
    if (active !== undefined) active.bytes += bytes
  }

  async #write(entry: StoreEntry, signal: AbortSignal): Promise<void> {
    const { stores } = this.#init
    const { folder: target } = entry
    const [newest] = entry.versions
    if (target === undefined || newest === undefined) return
    const blocks = await stores.open()
    const root = decodeLink(newest.value.root)
    const before = entry.written
    // Before anything is written: what a kill leaves is known.
    entry.written = [...before.filter(({ digest }) => !equals(digest, root.digest)), root].slice(-mostWritten)
    await stores.save(entry)
    await exportFolder({
      root,
      before,
      read: async (digest) => await blocks.read(digest),
      target,
      symlinks: stores.config.symlinks,
      modes: modesOf(stores.config),
      signal,
      // The same blocks again and again would be more than its manifest says.
      limits: { ...contentLimits, bytes: newest.value.sizeBytes }
    })
    // Another folder is wanted meanwhile: it has nothing yet.
    if (entry.folder !== target) return
    entry.writtenSeq = newest.value.seq
    entry.written = [root]
    await stores.save(entry)
  }

  #settled(key: string): void {
    this.#resting.delete(key)
    this.#init.stores.troubles.delete(key)
  }

  #rest(key: string, why: string, leastMs = 0): void {
    const backoff = this.#resting.get(key)?.backoff ?? new Backoff({ initialMs: 2_000, maxMs: 60_000, multiplier: 2 })
    this.#resting.set(key, { untilMs: performance.now() + Math.max(leastMs, backoff.next()), backoff })
    this.#init.stores.troubles.set(key, why)
  }

  async #failed(entry: StoreEntry, error: unknown, signal: AbortSignal): Promise<void> {
    const { coming } = entry
    try {
      const why = coming === undefined ? undefined : await this.#refusal(entry, error, signal)
      if (coming !== undefined && why !== undefined) await this.#refuse(entry, coming, why)
      else if (coming === undefined && error instanceof BlockMissingError) await this.#fetchAgain(entry)
      else this.#retry(entry, error)
    } catch (next) {
      // The disk takes nothing: what came stays, and it goes on.
      if (!signal.aborted) this.#retry(entry, next)
    }
  }

  /** The disk has lost a part of what was here. */
  async #fetchAgain(entry: StoreEntry): Promise<void> {
    const { nameOf, logger } = this.#init
    logger.warn(
      { store: entry.name },
      `blocks of ${nameOf(entry)} are damaged or gone on this disk; they are fetched again`
    )
    await this.mend(entry)
  }

  /** Fetches what is missing of the version that is here. */
  async mend(entry: StoreEntry): Promise<void> {
    const [newest, ...others] = entry.versions
    if (entry.coming !== undefined || newest === undefined) return
    entry.coming = newest
    entry.versions = others
    await this.#init.stores.save(entry)
  }

  /** The reason why a version is not fetched any more; undefined: it is tried again. */
  async #refusal(entry: StoreEntry, error: unknown, signal: AbortSignal): Promise<string | undefined> {
    const { stores, nameOf } = this.#init
    const name = error instanceof Error ? error.name : ''
    if (name === 'InvalidBlockError' || name === 'ContentLimitError')
      return `the content of ${nameOf(entry)} is not as it should be (${reasonOf(error)}): its owner shares it anew`
    // Content that was removed or replaced meanwhile may be all that was in the way.
    if (name !== 'StoreQuotaError' || (await stores.collect(signal)) > 0) return undefined
    const { quotaBytes } = stores.config
    return roomText(entry, { entries: stores.list(), quotaBytes, nameOf })
  }

  #retry(entry: StoreEntry, error: unknown): void {
    const { stores, nameOf, logger } = this.#init
    const key = storeKey(entry.owner, entry.name)
    const reason = inWords(reasonOf(error))
    const isFetch = entry.coming !== undefined
    const text = `${nameOf(entry)} could not be ${isFetch ? 'fetched' : 'written to its folder'}: ${reason}`
    const isNews = stores.troubles.get(key) !== text
    if (isNews) logger.warn({ store: entry.name, folder: entry.folder, error: reason }, text)
    this.#rest(key, text, isFetch ? 0 : unwrittenMs)
  }

  /** Gives a version up, and the blocks that came of it: the one before stays. */
  async #refuse(entry: StoreEntry, version: Version, why: string): Promise<void> {
    const { stores, onRefused } = this.#init
    this.#refused.add(version)
    if (entry.coming === version) entry.coming = undefined
    stores.troubles.set(storeKey(entry.owner, entry.name), why)
    onRefused(entry, why)
    await stores.save(entry)
  }
}

function modesOf({ readableBy, modes: kept }: Stores['config']): NonNullable<ExportInit['modes']> {
  const { program, ...usual } = modes[readableBy]
  return kept === 'keep' ? { ...usual, program } : usual
}

/** Nothing is fetched of what could never be here in whole. @throws ContentLimitError, StoreQuotaError */
function requireFit({ value: { files, sizeBytes } }: Version, quotaBytes: number): void {
  if (files > contentLimits.files)
    throw new ContentLimitError(`it has ${files} files, and a store has at most ${contentLimits.files}`)
  if (sizeBytes > quotaBytes) throw new StoreQuotaError(`it has ${sizeBytes} bytes, more than all stores may have`)
}

/** The blocks of one fetch, no more than its manifest announces. */
class Bounded implements Blocks {
  readonly #blocks: BlockFolder
  readonly #most: number
  readonly #came: (bytes: number) => void
  #bytes = 0

  constructor(blocks: BlockFolder, { sizeBytes, files }: StoreManifest, came: (bytes: number) => void) {
    this.#blocks = blocks
    this.#most = 2 * sizeBytes + files * moreBytesOfFile + moreBytes
    this.#came = came
  }

  async has(digest: Uint8Array): Promise<boolean> {
    return await this.#blocks.has(digest)
  }

  /** Block that is there. A collection leaves it from here on, also where nothing leads to it yet. */
  async read(digest: Uint8Array): Promise<Uint8Array | undefined> {
    return (await this.#blocks.has(digest)) ? await this.#blocks.read(digest) : undefined
  }

  async put(digest: Uint8Array, bytes: Uint8Array): Promise<void> {
    this.#bytes += bytes.length
    if (this.#bytes > this.#most)
      throw new ContentLimitError(`more than ${this.#most} bytes came of it, and its manifest says less`)
    await this.#blocks.put(digest, bytes)
    this.#came(bytes.length)
  }
}
