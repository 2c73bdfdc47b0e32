import type { Database, Statement } from './sqlite.ts'

/** Small values of the node and the store itself: store id, network id, seq … */
export const metaTables = `
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
`

/** Synchronous: call the writers inside `GroupCommit.write`. */
export class MetaTable {
  readonly #get: Statement<[string], Uint8Array>
  readonly #put: Statement<[string, Uint8Array]>
  readonly #delete: Statement<[string]>

  constructor(db: Database) {
    this.#get = db.prepare<[string], Uint8Array>('SELECT value FROM meta WHERE key = ?').pluck()
    this.#put = db.prepare(
      'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value'
    )
    this.#delete = db.prepare('DELETE FROM meta WHERE key = ?')
  }

  get(key: string): Uint8Array | undefined {
    return this.#get.get(key)
  }

  put(key: string, value: Uint8Array): void {
    this.#put.run(key, value)
  }

  delete(key: string): void {
    this.#delete.run(key)
  }
}
