import { plainBytes } from '../../identity/key-id.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { ChangedMeanwhileError, UnavailableError } from '../../runtime/errors.ts'
import { fullRetryMs } from '../admission/limits.ts'
import { readStoredOrder } from '../objects/orders/order.ts'
import type { DocumentTable, QueuedDocument } from '../store/document-table.ts'
import { type OpenedPublish, readPublish, type SignedPublish } from './signed-publish.ts'

/** Documents that wait for the root: 16 MiB at most. */
const maxQueued = 64
/** Documents of one publisher among these. */
const maxOfPublisher = 16

export interface DocumentQueueInit {
  table: DocumentTable
  commit: { write<T>(run: () => T): Promise<T> }
  clock: Clock
}

/** A document that waits here for the root. */
export interface WaitingDocument {
  readonly place: number
  readonly id: string
  /** 0: the disk has changed it. */
  readonly version: number
  readonly publisherKey: Uint8Array
  readonly sinceMs: number
  readonly signed: SignedPublish
}

/** Signed documents that wait for the root, over restarts: the latest of each publisher and id. */
export class DocumentQueue {
  readonly #init: DocumentQueueInit

  constructor(init: DocumentQueueInit) {
    this.#init = init
  }

  get size(): number {
    return this.#init.table.queuedCount()
  }

  /** Oldest first. */
  list(): WaitingDocument[] {
    return this.#init.table.queued().map(waiting)
  }

  /** @throws UnavailableError when it is full; ChangedMeanwhileError for one that is older than what waits; StoreError */
  async add({ publish, body, order, bytes, timeMs }: OpenedPublish): Promise<void> {
    const { table, commit, clock } = this.#init
    const { publisherKey: publisher, id } = publish
    await commit.write(() => {
      const held = table.queuedOrder(publisher, id)
      const isFull = table.queuedCount() >= maxQueued || table.queuedOf(publisher) >= maxOfPublisher
      if (isFull && held === undefined) {
        throw new UnavailableError('too many documents wait here for the root: publish when it is back', fullRetryMs)
      }
      // An older one that comes late, or again by somebody else, takes nobody's place.
      if (held !== undefined && timeOf(held) > timeMs) {
        throw new ChangedMeanwhileError(`what waits of ${id} was signed later than this: compare the clocks`)
      }
      table.enqueue({ publisher, id, body, order, bytes, sinceMs: clock.now() })
    })
  }

  /** Nothing happens when another one has taken its place. */
  async drop({ place }: Pick<WaitingDocument, 'place'>): Promise<void> {
    await this.#init.commit.write(() => this.#init.table.dequeue(place))
  }
}

const waiting = ({ place, publisher, id, body, order, bytes, sinceMs }: QueuedDocument): WaitingDocument => ({
  place,
  id,
  version: versionOf(plainBytes(body)),
  publisherKey: plainBytes(publisher),
  sinceMs,
  signed: { body: plainBytes(body), order: plainBytes(order), bytes: plainBytes(bytes) }
})

/** 0: the disk has changed it. */
function timeOf(order: Uint8Array): number {
  try {
    return readStoredOrder(order).timeMs
  } catch {
    return 0
  }
}

/** 0 for what the disk has changed: it waits like the others, and is refused by whoever opens it. */
function versionOf(body: Uint8Array): number {
  try {
    return readPublish(body).documentVersion
  } catch {
    return 0
  }
}
