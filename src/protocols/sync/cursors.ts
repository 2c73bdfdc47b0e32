import type { Cursor } from './pb/sync.ts'

/** Registries whose position is remembered. A forgotten one costs a digest exchange. */
const maxServers = 64

/** Progress in the records of each registry, by its PeerId. Not kept over a restart: the digest exchange finds what differs. */
export class SyncCursors {
  readonly #cursors = new Map<string, Cursor>()

  get(server: string): Cursor | undefined {
    return this.#cursors.get(server)
  }

  set(server: string, cursor: Cursor): void {
    this.#cursors.delete(server)
    const oldest = this.#cursors.keys().next()
    if (this.#cursors.size >= maxServers && !oldest.done) this.#cursors.delete(oldest.value)
    this.#cursors.set(server, { store: Uint8Array.from(cursor.store), change: cursor.change })
  }

  delete(server: string): void {
    this.#cursors.delete(server)
  }
}
