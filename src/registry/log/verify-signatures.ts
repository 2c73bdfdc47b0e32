import { equals } from 'uint8arrays/equals'
import { reasonOf } from '../../runtime/error-message.ts'
import { StoreError } from '../../runtime/errors.ts'
import type { LogEntry } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'
import type { NodeRecord } from '../objects/record.ts'
import type { OpenOptions } from '../objects/signed.ts'
import type { Database } from '../store/database.ts'
import { LogTable } from '../store/log-table.ts'
import { RecordTable } from '../store/record-table.ts'

/** Ways to open an envelope: on this thread, or in the pool. */
export interface Openers {
  entry: (bytes: Uint8Array, networkId: Uint8Array) => Signed<LogEntry> | Promise<Signed<LogEntry>>
  record: (
    bytes: Uint8Array,
    networkId: Uint8Array,
    options: OpenOptions
  ) => Signed<NodeRecord> | Promise<Signed<NodeRecord>>
}

const pageRows = 256

/**
 * Verifies the signature of every entry and every record of a store, and that each stands in its own row.
 *
 * @returns how many there are of each
 * @throws StoreError with the first that is not what was signed
 */
export async function verifySignatures(
  db: Database,
  networkId: Uint8Array,
  openers: Openers
): Promise<{ entries: number; records: number }> {
  return { entries: await verifyEntries(db, networkId, openers), records: await verifyRecords(db, networkId, openers) }
}

async function verifyEntries(db: Database, networkId: Uint8Array, openers: Openers): Promise<number> {
  const table = new LogTable(db)
  let count = 0
  // Entry 0 is the genesis, which is judged by its hash when the log is opened.
  for (let afterN = 0; ; ) {
    const page = table.checkPage(afterN, pageRows)
    const last = page.at(-1)
    if (last === undefined) return count
    await Promise.all(
      page.map(async ({ n, hash, envelope }) => {
        const opened = await tried(`entry ${n} is not what was signed`, () => openers.entry(envelope, networkId))
        if (opened.value.n !== n || !equals(opened.hash, hash)) throw new StoreError(`entry ${n} is another one`)
      })
    )
    count += page.length
    afterN = last.n
  }
}

async function verifyRecords(db: Database, networkId: Uint8Array, openers: Openers): Promise<number> {
  const table = new RecordTable(db)
  let count = 0
  for (let change = 0; ; ) {
    const page = table.changesAfter(change, pageRows)
    const last = page.at(-1)
    if (last === undefined) return count
    await Promise.all(
      page.map(({ envelope, publicKey }) =>
        tried('a record is not what its member signed', () =>
          openers.record(envelope, networkId, { signer: publicKey })
        )
      )
    )
    count += page.length
    change = last.change
  }
}

const tried = async <T>(what: string, open: () => T | Promise<T>): Promise<T> => {
  try {
    return await open()
  } catch (error) {
    throw new StoreError(`${what}: ${reasonOf(error)}`, { cause: error })
  }
}
