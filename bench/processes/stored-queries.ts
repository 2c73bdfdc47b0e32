import { type Database, openDatabase } from '../../src/registry/store/database.ts'
import { type LoadResult, runLoad } from '../harness/load.ts'
import { memberKey, memberName } from '../harness/members/members.ts'
import { serveMethods } from '../harness/serve.ts'
import type { LookupKind } from './lookups.ts'

/** The queries behind a lookup, on a copy of the same store, in one process. */
let db: Database | undefined

const methods = {
  open(path: string): void {
    db = openDatabase(path)
    db.exec('CREATE TABLE floor_names (name TEXT PRIMARY KEY, public_key BLOB NOT NULL) STRICT, WITHOUT ROWID')
  },

  name(members: number): void {
    const insert = db?.prepare('INSERT INTO floor_names VALUES (?, ?)')
    const all = db?.transaction(() => {
      for (let number = 0; number < members; number++) insert?.run(memberName(number), memberKey(number).publicKey)
    })
    all?.()
  },

  async ask(kind: LookupKind, questions: number, members: number, rows: number): Promise<LoadResult> {
    const one = db?.prepare('SELECT envelope FROM records WHERE public_key = ?')
    const named = db?.prepare('SELECT envelope FROM floor_names JOIN records USING (public_key) WHERE name = ?')
    const page = db?.prepare('SELECT envelope FROM records WHERE public_key > ? ORDER BY public_key LIMIT ?')
    const numbers = Array.from({ length: questions }, () => 1 + Math.floor(Math.random() * (members - 1)))
    const keys = numbers.map((number) => memberKey(number).publicKey)
    return await runLoad(questions, 1, async (job) => {
      if (kind === 'PeerId') one?.get(keys[job])
      else if (kind === 'name') named?.get(memberName(numbers[job] ?? 0))
      else page?.all(keys[job], rows)
    })
  }
}

export type StoredQueriesMethods = typeof methods

serveMethods(methods, async () => {
  db?.close()
})
