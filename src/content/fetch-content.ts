import { ContentLimitError } from './errors.ts'
import { contentLimits } from './import-folder.ts'
import type { Link } from './link.ts'
import { readNode } from './node.ts'
import { settled } from './settled.ts'
import { digestKey, linkKey, linksOf } from './walk.ts'

/** Place where blocks are kept. */
export interface Blocks {
  has(digest: Uint8Array): Promise<boolean>
  read(digest: Uint8Array): Promise<Uint8Array | undefined>
  put(digest: Uint8Array, bytes: Uint8Array): Promise<void>
}

/** Gives the wanted blocks in any order, each checked against its digest; ends when nobody gives any more. */
export type Fetch = (wants: AsyncIterable<Uint8Array>) => AsyncIterable<{ digest: Uint8Array; bytes: Uint8Array }>

/** Blocks that wait for the disk: the next ones come meanwhile. */
const mostStoring = { blocks: 128, bytes: 12 * 1024 ** 2 }
/** Links that are looked for at once: what is missing of them is asked for in one request. */
const lookedAtOnce = 32

/** Links that are known and whose blocks are not here: a store that can be shared has no more, and each takes memory. */
const mostAhead = 2 * contentLimits.files

/**
 * Fetches what is not there yet of all that a root leads to. Nothing is fetched that is stored, from this or another store, so one that was
 * broken off goes on where it was. Gives true when all is there, false when nobody gave the rest.
 * @throws InvalidBlockError when the root leads to what is no content, ContentLimitError when to more than a store has, or what `put` and
 * `fetch` throw
 */
export async function fetchContent(root: Link, blocks: Blocks, fetch: Fetch, most = mostAhead): Promise<boolean> {
  const missing = new MissingBlocks(root, blocks, most)
  const storing = new Set<Promise<void>>()
  let storingBytes = 0
  const failures: unknown[] = []
  const store = async (digest: Uint8Array, bytes: Uint8Array): Promise<void> => {
    storingBytes += bytes.length
    try {
      await blocks.put(digest, bytes)
      missing.came(digest, bytes)
    } catch (error) {
      failures.push(error)
      missing.stop()
    } finally {
      storingBytes -= bytes.length
    }
  }
  try {
    for await (const { digest, bytes } of fetch(missing)) {
      const work = store(digest, bytes).finally(() => storing.delete(work))
      storing.add(work)
      while (storing.size >= mostStoring.blocks || storingBytes >= mostStoring.bytes) await Promise.race(storing)
      if (failures.length > 0) break
    }
  } finally {
    // Whoever asked may collect what leads nowhere: nothing is written behind its back.
    await Promise.all(storing)
  }
  if (failures.length > 0) throw failures[0]
  return missing.isComplete
}

/** The blocks that are not stored, found as those above them come. */
class MissingBlocks implements AsyncIterable<Uint8Array> {
  readonly #blocks: Blocks
  readonly #most: number
  /** Last in, first out: what is known of the tree stays small. */
  readonly #ahead: Link[]
  readonly #seen = new Set<string>()
  readonly #awaited = new Map<string, Link>()
  #wake = Promise.withResolvers<void>()
  #isStopped = false

  constructor(root: Link, blocks: Blocks, most: number) {
    this.#ahead = [root]
    this.#blocks = blocks
    this.#most = most
  }

  get isComplete(): boolean {
    return this.#ahead.length === 0 && this.#awaited.size === 0
  }

  came(digest: Uint8Array, bytes: Uint8Array): void {
    const key = digestKey(digest)
    const link = this.#awaited.get(key)
    if (link?.codec === 'node') this.#below(bytes)
    this.#awaited.delete(key)
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }

  /** Asks for nothing more. */
  stop(): void {
    this.#isStopped = true
    this.#wake.resolve()
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const wants = this.#wants()
    // A generator that waits cannot be ended: whoever asks for no more wakes it first.
    const end = async (): Promise<IteratorResult<Uint8Array>> => {
      this.stop()
      return await wants.return(undefined)
    }
    return { next: async () => await wants.next(), return: end }
  }

  async *#wants(): AsyncGenerator<Uint8Array> {
    while (!this.isComplete && !this.#isStopped) {
      const links = this.#ahead.splice(-lookedAtOnce).toReversed()
      if (links.length === 0) await this.#wake.promise
      yield* (await settled(links.map((link) => this.#missing(link)))).flat()
    }
  }

  #below(node: Uint8Array): void {
    for (const { codec, digest } of linksOf(readNode(node))) this.#ahead.push({ codec, digest })
    if (this.#ahead.length + this.#awaited.size > this.#most)
      throw new ContentLimitError(`it leads to more than ${this.#most} blocks at once, and a store to fewer`)
  }

  /** The digest of a block that is not stored, and not asked for by another link. */
  async #missing(link: Link): Promise<Uint8Array[]> {
    const key = digestKey(link.digest)
    if (this.#seen.has(linkKey(link))) return []
    this.#seen.add(linkKey(link))
    const awaited = this.#awaited.get(key)
    // The same bytes may be linked as a node, too: what is below it counts.
    if (awaited === undefined || link.codec === 'node') this.#awaited.set(key, link)
    if (awaited !== undefined) return []
    let judged = link
    let isThere = await this.#isThere(judged)
    for (
      let now = this.#awaited.get(key);
      isThere && now !== undefined && now !== judged;
      now = this.#awaited.get(key)
    ) {
      judged = now
      isThere = await this.#isThere(judged)
    }
    if (isThere) this.#awaited.delete(key)
    return isThere ? [] : [link.digest]
  }

  /** A leaf is checked when it is read; a node must be read here to know what is below it. */
  async #isThere({ codec, digest }: Link): Promise<boolean> {
    if (codec === 'raw') return await this.#blocks.has(digest)
    const bytes = await this.#blocks.read(digest)
    if (bytes !== undefined) this.#below(bytes)
    return bytes !== undefined
  }
}
