import type { Link } from './link.ts'
import { readNode } from './node.ts'
import { digestKey, linksOf } from './walk.ts'

/** Place where blocks are kept. */
export interface Blocks {
  has(digest: Uint8Array): Promise<boolean>
  read(digest: Uint8Array): Promise<Uint8Array | undefined>
  put(digest: Uint8Array, bytes: Uint8Array): Promise<void>
}

/** Gives the wanted blocks in any order, each checked against its digest; ends when nobody gives any more. */
export type Fetch = (wants: AsyncIterable<Uint8Array>) => AsyncIterable<{ digest: Uint8Array; bytes: Uint8Array }>

/**
 * Fetches what is not there yet of all that a root leads to. Nothing is fetched that is stored, from this or another store, so one that was
 * broken off goes on where it was. Gives true when all is there, false when nobody gave the rest.
 * @throws InvalidBlockError when the root leads to what is no content, or what `put` and `fetch` throw
 */
export async function fetchContent(root: Link, blocks: Blocks, fetch: Fetch): Promise<boolean> {
  const missing = new MissingBlocks(root, blocks)
  for await (const { digest, bytes } of fetch(missing)) {
    await blocks.put(digest, bytes)
    missing.came(digest, bytes)
  }
  return missing.isComplete
}

/** The blocks that are not stored, found as those above them come. */
class MissingBlocks implements AsyncIterable<Uint8Array> {
  readonly #blocks: Blocks
  /** Last in, first out: what is known of the tree stays small. */
  readonly #ahead: Link[]
  readonly #seen = new Set<string>()
  readonly #awaited = new Map<string, Link>()
  #wake = Promise.withResolvers<void>()
  #isStopped = false

  constructor(root: Link, blocks: Blocks) {
    this.#ahead = [root]
    this.#blocks = blocks
  }

  get isComplete(): boolean {
    return this.#ahead.length === 0 && this.#awaited.size === 0
  }

  came(digest: Uint8Array, bytes: Uint8Array): void {
    const key = digestKey(digest)
    const link = this.#awaited.get(key)
    if (link?.codec === 'node') this.#ahead.push(...linksOf(readNode(bytes)))
    this.#awaited.delete(key)
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const wants = this.#wants()
    // A generator that waits cannot be ended: whoever asks for no more wakes it first.
    const end = async (): Promise<IteratorResult<Uint8Array>> => {
      this.#isStopped = true
      this.#wake.resolve()
      return await wants.return(undefined)
    }
    return { next: async () => await wants.next(), return: end }
  }

  async *#wants(): AsyncGenerator<Uint8Array> {
    while (!this.isComplete && !this.#isStopped) {
      const link = this.#ahead.pop()
      if (link === undefined) await this.#wake.promise
      else if (await this.#isMissing(link)) yield link.digest
    }
  }

  async #isMissing(link: Link): Promise<boolean> {
    const key = digestKey(link.digest)
    if (this.#seen.has(key)) return false
    this.#seen.add(key)
    this.#awaited.set(key, link)
    // A leaf is checked when it is read; a node must be read here to know what is below it.
    const bytes = link.codec === 'node' ? await this.#blocks.read(link.digest) : undefined
    if (bytes !== undefined) this.#ahead.push(...linksOf(readNode(bytes)))
    const isThere = bytes !== undefined || (link.codec === 'raw' && (await this.#blocks.has(link.digest)))
    if (isThere) this.#awaited.delete(key)
    return !isThere
  }
}
