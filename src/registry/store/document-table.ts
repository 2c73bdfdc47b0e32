import type { LogItem } from './log-rows.ts'
import type { Database, Statement } from './sqlite.ts'

/**
 * `document_bytes`: contents of documents by their SHA-256, in the order in which they came. `document_queue`: documents that a publisher has signed
 * and that wait here for the root, one per publisher and id. The index finds the entries about documents (publish 9, retire 10) in a long log.
 */
export const documentTables = `
CREATE TABLE document_bytes (
  place  INTEGER PRIMARY KEY AUTOINCREMENT,
  digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
  bytes  BLOB NOT NULL
) STRICT;
CREATE TABLE document_queue (
  place     INTEGER PRIMARY KEY AUTOINCREMENT,
  publisher BLOB NOT NULL CHECK (length(publisher) = 32),
  id        TEXT NOT NULL,
  body      BLOB NOT NULL,
  ordered   BLOB NOT NULL,
  bytes     BLOB NOT NULL,
  since_ms  INTEGER NOT NULL,
  UNIQUE (publisher, id)
) STRICT;
CREATE INDEX log_of_documents ON log (n) WHERE kind IN (9, 10);
`

/** Bytes as they are stored; nothing says that they are right. */
export interface DocumentBytes {
  readonly place: number
  readonly digest: Uint8Array
  readonly bytes: Uint8Array
}

export interface QueuedDocumentInput {
  readonly publisher: Uint8Array
  readonly id: string
  /** Body of the publish entry, and the order of its publisher over it. */
  readonly body: Uint8Array
  readonly order: Uint8Array
  readonly bytes: Uint8Array
  readonly sinceMs: number
}

export interface QueuedDocument extends QueuedDocumentInput {
  /** Ascending; one that came again has a new one. */
  readonly place: number
}

const queueColumns = 'place, publisher, id, body, ordered AS "order", bytes, since_ms AS sinceMs'

/** The statements over documents. Writes belong inside a group commit. */
export class DocumentTable {
  readonly #sizes: Statement<[], { digest: Uint8Array; size: number }>
  readonly #get: Statement<[Uint8Array], Uint8Array>
  readonly #after: Statement<[number], DocumentBytes>
  readonly #put: Statement<[Uint8Array, Uint8Array]>
  readonly #delete: Statement<[Uint8Array]>
  readonly #entries: Statement<[number, number], LogItem>
  readonly #queued: Statement<[], QueuedDocument>
  readonly #queuedOf: Statement<[Uint8Array], number>
  readonly #queuedOrder: Statement<[Uint8Array, string], Uint8Array>
  readonly #queuedCount: Statement<[], number>
  readonly #enqueue: Statement<[Uint8Array, string, Uint8Array, Uint8Array, Uint8Array, number]>
  readonly #dequeue: Statement<[number]>

  constructor(db: Database) {
    this.#sizes = db.prepare('SELECT digest, length(bytes) AS size FROM document_bytes ORDER BY place')
    this.#get = db.prepare<[Uint8Array], Uint8Array>('SELECT bytes FROM document_bytes WHERE digest = ?').pluck()
    this.#after = db.prepare('SELECT place, digest, bytes FROM document_bytes WHERE place > ? ORDER BY place LIMIT 1')
    this.#put = db.prepare('INSERT OR REPLACE INTO document_bytes (digest, bytes) VALUES (?, ?)')
    this.#delete = db.prepare('DELETE FROM document_bytes WHERE digest = ?')
    this.#entries = db.prepare('SELECT n, envelope FROM log WHERE kind IN (9, 10) AND n > ? ORDER BY n LIMIT ?')
    this.#queued = db.prepare(`SELECT ${queueColumns} FROM document_queue ORDER BY place`)
    this.#queuedOf = db.prepare<[Uint8Array], number>('SELECT count(*) FROM document_queue WHERE publisher = ?').pluck()
    this.#queuedOrder = db
      .prepare<[Uint8Array, string], Uint8Array>('SELECT ordered FROM document_queue WHERE publisher = ? AND id = ?')
      .pluck()
    this.#queuedCount = db.prepare<[], number>('SELECT count(*) FROM document_queue').pluck()
    this.#enqueue = db.prepare(
      'INSERT OR REPLACE INTO document_queue (publisher, id, body, ordered, bytes, since_ms) VALUES (?, ?, ?, ?, ?, ?)'
    )
    this.#dequeue = db.prepare('DELETE FROM document_queue WHERE place = ?')
  }

  /** All that are here, in the order in which they came. */
  sizes(): { digest: Uint8Array; size: number }[] {
    return this.#sizes.all()
  }

  get(digest: Uint8Array): Uint8Array | undefined {
    return this.#get.get(digest)
  }

  /** The first one behind a place. */
  after(place: number): DocumentBytes | undefined {
    return this.#after.get(place)
  }

  put(digest: Uint8Array, bytes: Uint8Array): void {
    this.#put.run(digest, bytes)
  }

  delete(digest: Uint8Array): void {
    this.#delete.run(digest)
  }

  /** Publish and retire entries behind `n` that are kept, ascending. */
  entries(afterN: number, limit: number): LogItem[] {
    return this.#entries.all(afterN, limit)
  }

  /** Oldest first. */
  queued(): QueuedDocument[] {
    return this.#queued.all()
  }

  queuedCount(): number {
    return Number(this.#queuedCount.get())
  }

  queuedOf(publisher: Uint8Array): number {
    return Number(this.#queuedOf.get(publisher))
  }

  /** Order of what this publisher has waiting under the id. */
  queuedOrder(publisher: Uint8Array, id: string): Uint8Array | undefined {
    return this.#queuedOrder.get(publisher, id)
  }

  /** Takes the place of what this publisher has waiting under the id. */
  enqueue({ publisher, id, body, order, bytes, sinceMs }: QueuedDocumentInput): void {
    this.#enqueue.run(publisher, id, body, order, bytes, sinceMs)
  }

  dequeue(place: number): void {
    this.#dequeue.run(place)
  }
}
