import type { Database, Statement } from './sqlite.ts'

export const alarmTables = `
CREATE TABLE alarms (
  code         TEXT PRIMARY KEY,
  message      TEXT NOT NULL,
  fields       TEXT NOT NULL,
  since_ms     INTEGER NOT NULL,
  last_ms      INTEGER NOT NULL,
  times        INTEGER NOT NULL,
  acknowledged INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`

export interface AlarmRow {
  readonly code: string
  readonly message: string
  /** JSON. */
  readonly fields: string
  readonly sinceMs: number
  readonly lastMs: number
  readonly times: number
  readonly acknowledged: number
}

export class AlarmTable {
  readonly #list: Statement<[], AlarmRow>
  readonly #put: Statement<[AlarmRow]>

  constructor(db: Database) {
    this.#list = db.prepare(`
      SELECT code, message, fields, since_ms AS sinceMs, last_ms AS lastMs, times, acknowledged FROM alarms ORDER BY code`)
    this.#put = db.prepare(`
      INSERT OR REPLACE INTO alarms (code, message, fields, since_ms, last_ms, times, acknowledged)
      VALUES (@code, @message, @fields, @sinceMs, @lastMs, @times, @acknowledged)`)
  }

  list(): AlarmRow[] {
    return this.#list.all()
  }

  put(row: AlarmRow): void {
    this.#put.run(row)
  }
}
