import { keyId } from '../../identity/key-id.ts'
import type { RecordEvent } from '../../registry/records/records.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'

/** Way in which the record came that is held of a member. */
export interface RecordOrigin {
  /** self, session, sync, gossip, dht, registry. */
  readonly way: string
  /** PeerId of whoever sent it; undefined: nobody in particular. */
  readonly from: string | undefined
  /** Wall clock ms. */
  readonly atMs: number
}

/** Members whose origin is remembered; the one that changed least lately goes first. */
const most = 10_000

/** Remembers how the newest record of each member came to this process. */
export class RecordOrigins {
  readonly #origins = new Map<string, RecordOrigin>()

  add({ record, source, asker }: RecordEvent, atMs: number): void {
    const id = keyId(record.value.publicKey)
    this.#origins.delete(id)
    this.#origins.set(id, { way: source, from: asker === source ? undefined : asker, atMs })
    const [oldest] = this.#origins.keys()
    if (this.#origins.size > most && oldest !== undefined) this.#origins.delete(oldest)
  }

  /** Returns how to stop. */
  follow(events: Registry['events'], clock: Clock): () => void {
    const onRecord = ({ detail }: CustomEvent<RecordEvent>): void => this.add(detail, clock.now())
    events.addEventListener('record', onRecord)
    return () => events.removeEventListener('record', onRecord)
  }

  of(publicKey: Uint8Array): RecordOrigin | undefined {
    return this.#origins.get(keyId(publicKey))
  }
}
