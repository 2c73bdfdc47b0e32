import type { TypedEventTarget } from 'main-event'
import type { ReplicaEvents } from '../../registry/log/log-events.ts'
import type { Cursor } from './pb/sync.ts'

/** Registries whose position is remembered. A forgotten one costs a digest exchange. */
const maxServers = 64

/** Progress in the records of each registry, by its PeerId. Not kept over a restart: the digest exchange finds what differs. */
export class SyncCursors {
  readonly #cursors = new Map<string, Cursor>()

  #generation = 0

  /** With the events of the own log: memberships that come back, because what ended them is void, have lost their records here. */
  constructor(log?: TypedEventTarget<ReplicaEvents>) {
    for (const type of ['reset', 'lifted'] as const) log?.addEventListener(type, () => this.#forget())
  }

  #forget(): void {
    this.#cursors.clear()
    this.#generation++
  }

  /** A stream that began in another one does not say how far the records are known. */
  get generation(): number {
    return this.#generation
  }

  get(server: string): Cursor | undefined {
    return this.#cursors.get(server)
  }

  set(server: string, cursor: Cursor, generation = this.#generation): void {
    if (generation !== this.#generation) return
    this.#cursors.delete(server)
    const oldest = this.#cursors.keys().next()
    if (this.#cursors.size >= maxServers && !oldest.done) this.#cursors.delete(oldest.value)
    this.#cursors.set(server, { store: Uint8Array.from(cursor.store), change: cursor.change })
  }

  delete(server: string): void {
    this.#cursors.delete(server)
  }
}
