import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify
} from 'node:crypto'
import { join } from 'node:path'
import { type Database, openDatabase } from '../../src/registry/store/database.ts'
import { serveMethods } from '../harness/serve.ts'

/** Reads, verifies, hashes and writes the rows of a store, without a network and without what they mean. */
let source: Database | undefined
let stores = 0

/** Signatures of an entry by invite: its own, the join request's, and the proof of the invite; and of a record: its own. */
const signatures = { log: 3, records: 1 } as const
const pageRows = 500
const signedBytes = 300

interface Row {
  id: number
  envelope: Uint8Array
}

const { privateKey, publicKey: exported } = generateKeyPairSync('ed25519')
const publicKey: KeyObject = createPublicKey(exported.export({ format: 'pem', type: 'spki' }))
const payload = randomBytes(signedBytes)
const signature = sign(null, payload, privateKey)

const verifyOnce = (): Promise<boolean> =>
  new Promise((resolve, reject) => {
    verify(null, payload, publicKey, signature, (error, valid) => (error === null ? resolve(valid) : reject(error)))
  })

async function rewrite(from: Database, to: Database, table: 'log' | 'records'): Promise<number> {
  const id = table === 'log' ? 'n' : 'change'
  const read = from.prepare<[number, number], Row>(
    `SELECT ${id} AS id, envelope FROM ${table} WHERE ${id} > ? ORDER BY ${id} LIMIT ?`
  )
  to.exec(`CREATE TABLE copy_${table} (id INTEGER PRIMARY KEY, hash BLOB NOT NULL, envelope BLOB NOT NULL) STRICT`)
  const insert = to.prepare(`INSERT INTO copy_${table} VALUES (?, ?, ?)`)
  const write = to.transaction((rows: readonly Row[]) => {
    for (const row of rows) insert.run(row.id, createHash('sha256').update(row.envelope).digest(), row.envelope)
  })
  let count = 0
  for (let after = -1; ; ) {
    const rows = read.all(after, pageRows)
    const last = rows.at(-1)
    if (last === undefined) return count
    await Promise.all(rows.flatMap(() => Array.from({ length: signatures[table] }, verifyOnce)))
    write(rows)
    after = last.id
    count += rows.length
  }
}

const methods = {
  open(path: string): void {
    source = openDatabase(path)
  },

  /** Gives the seconds. */
  async run(folder: string): Promise<number> {
    if (source === undefined) throw new Error('no store')
    const target = openDatabase(join(folder, `rewrite-${stores++}.db`))
    const from = performance.now()
    await rewrite(source, target, 'log')
    await rewrite(source, target, 'records')
    const seconds = (performance.now() - from) / 1000
    target.close()
    return seconds
  }
}

export type RewriteMethods = typeof methods

serveMethods(methods, async () => {
  source?.close()
})
