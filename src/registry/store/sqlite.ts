import type BetterSqlite3 from 'better-sqlite3'

export type Database = BetterSqlite3.Database

/** A prepared statement: its parameters as a tuple, and a row of its answer. */
export type Statement<Parameters extends unknown[] = unknown[], Row = unknown> = BetterSqlite3.Statement<
  Parameters,
  Row
>
