import { equals } from 'uint8arrays/equals'
import { sha256 } from '../../identity/hash.ts'
import { keyId, plainBytes } from '../../identity/key-id.ts'
import { PublishRefusedError } from '../../runtime/errors.ts'
import type { NetworkState } from '../log/state/network-state.ts'
import type { DocumentTable } from '../store/document-table.ts'
import { checkBytes } from './check-bytes.ts'

interface Commit {
  write<T>(run: () => T): Promise<T>
}

export interface DocumentBytesInit {
  table: DocumentTable
  commit: Commit
  /** Ask for it each time. */
  state: () => NetworkState
  /** Bytes under these digests were not those of the digest, and are gone. */
  onDamaged: (digests: readonly Uint8Array[]) => void
}

/**
 * Contents of documents, by their digest. Current ones stay; those of old versions and of retired documents stay for as long as they fit into as
 * many bytes as the policy gives the current ones, the newest first.
 */
export class DocumentBytes {
  readonly #init: DocumentBytesInit
  /** Size by digest, in the order in which they came. */
  readonly #held: Map<string, number>

  constructor(init: DocumentBytesInit) {
    this.#init = init
    this.#held = new Map(init.table.sizes().map(({ digest, size }) => [keyId(digest), size]))
  }

  has(digest: Uint8Array): boolean {
    return this.#held.has(keyId(digest))
  }

  /** Bytes of all that are here. */
  get bytes(): number {
    return [...this.#held.values()].reduce((sum, size) => sum + size, 0)
  }

  get count(): number {
    return this.#held.size
  }

  /** Gives what is here under the digest, and is right; damaged bytes go. */
  async read(digest: Uint8Array): Promise<Uint8Array | undefined> {
    const stored = this.has(digest) ? this.#init.table.get(digest) : undefined
    if (stored === undefined) return undefined
    if (equals(sha256(stored), digest)) return plainBytes(stored)
    await this.#drop([digest])
    return undefined
  }

  /** Inside a commit; `inserted` must follow when it has succeeded. */
  insert(digest: Uint8Array, bytes: Uint8Array): void {
    this.#init.table.put(digest, bytes)
  }

  inserted(digest: Uint8Array, bytes: Uint8Array): void {
    this.#held.set(keyId(digest), bytes.length)
  }

  /** Keeps bytes that were missing. @throws PublishRefusedError when they are others; StoreError */
  async put(digest: Uint8Array, bytes: Uint8Array): Promise<void> {
    if (this.has(digest)) return
    if (!equals(sha256(bytes), digest)) throw new PublishRefusedError('the bytes of a document have another digest')
    await this.#init.commit.write(() => this.insert(digest, bytes))
    this.inserted(digest, bytes)
  }

  /** Digests of current documents that are not here, each once. */
  missing(): Uint8Array[] {
    const missing = new Map<string, Uint8Array>()
    for (const row of this.#init.state().documents()) {
      if (row.retired === undefined && !this.has(row.digest)) missing.set(keyId(row.digest), row.digest)
    }
    return [...missing.values()]
  }

  /** Reads and checks all, with pauses for others; damaged ones go. Gives how many were looked at. */
  async check(signal: AbortSignal): Promise<number> {
    const { count, damaged } = await checkBytes(this.#init.table, signal)
    if (damaged.length > 0) await this.#drop(damaged)
    return count
  }

  /** Deletes what is not current, the oldest first, until the rest fits. */
  async prune(): Promise<void> {
    const { commit, table, state } = this.#init
    const current = this.#current()
    const old = [...this.#held].filter(([key]) => !current.has(key))
    let excess = old.reduce((sum, [, size]) => sum + size, -state().policy.documentBytes)
    const dropped: string[] = []
    for (const [key, size] of old) {
      if (excess <= 0) break
      excess -= size
      dropped.push(key)
    }
    if (dropped.length === 0) return
    await commit.write(() => {
      for (const key of dropped) table.delete(Buffer.from(key, 'latin1'))
    })
    for (const key of dropped) this.#held.delete(key)
  }

  #current(): Set<string> {
    const current = new Set<string>()
    for (const row of this.#init.state().documents()) if (row.retired === undefined) current.add(keyId(row.digest))
    return current
  }

  async #drop(digests: readonly Uint8Array[]): Promise<void> {
    const { commit, table, onDamaged } = this.#init
    // Never shown again, also when the disk takes nothing now.
    for (const digest of digests) this.#held.delete(keyId(digest))
    onDamaged(digests)
    await commit.write(() => {
      for (const digest of digests) table.delete(digest)
    })
  }
}
