import { equals } from 'uint8arrays/equals'
import { WrongNetworkError } from './errors.ts'
import { compareRecords } from './record.ts'
import { storedGenesis } from './replica.ts'
import { type Database, openReadOnly } from './store/database.ts'
import { type LogRow, LogTable } from './store/log-table.ts'
import { RecordTable } from './store/record-table.ts'

const pageRows = 1000

/** How one store differs from another of the same network. */
export interface StoreDiff {
  /** Newest entry of each. */
  readonly head: { readonly epoch: number; readonly n: number }
  readonly otherHead: { readonly epoch: number; readonly n: number }
  /** The first entry that both have and that is another; undefined: one log is the beginning of the other. */
  readonly differsFrom: number | undefined
  /** Entries above the head of the other one. */
  readonly entriesOnlyHere: number
  readonly entriesOnlyThere: number
  readonly records: {
    readonly newerHere: number
    readonly newerThere: number
    readonly onlyHere: number
    readonly onlyThere: number
  }
}

/**
 * Compares log and records of two stores that no process uses, as they are stored: what is in them is not verified.
 * @throws StoreInUseError, StoreError; WrongNetworkError for stores of two networks
 */
export function diffStores(path: string, otherPath: string): StoreDiff {
  const here = openReadOnly(path)
  try {
    const there = openReadOnly(otherPath)
    try {
      requireSameNetwork(here, there, otherPath)
      return { ...diffLogs(new LogTable(here), new LogTable(there)), records: diffRecords(here, there) }
    } finally {
      there.close()
    }
  } finally {
    here.close()
  }
}

function requireSameNetwork(here: Database, there: Database, path: string): void {
  const [one, other] = [storedGenesis({ db: here }), storedGenesis({ db: there })]
  if (one === undefined || other === undefined || !equals(one, other)) {
    throw new WrongNetworkError(`${path} is not of the same network: there is nothing to compare`)
  }
}

function diffLogs(here: LogTable, there: LogTable): Omit<StoreDiff, 'records'> {
  const head = headOf(here.last())
  const otherHead = headOf(there.last())
  let differsFrom: number | undefined
  for (let afterN = -1; differsFrom === undefined; ) {
    const page = here.page(afterN, pageRows)
    // What one side has compacted away is no difference.
    differsFrom = page.find(({ n, hash }) => !equals(there.hashOf(n) ?? hash, hash))?.n
    const last = page.at(-1)
    if (last === undefined || page.length < pageRows) break
    afterN = last.n
  }
  return {
    head,
    otherHead,
    differsFrom,
    entriesOnlyHere: countAfter(here, otherHead.n),
    entriesOnlyThere: countAfter(there, head.n)
  }
}

const headOf = (row: LogRow | undefined): { epoch: number; n: number } => ({ epoch: row?.epoch ?? 0, n: row?.n ?? 0 })

function countAfter(table: LogTable, n: number): number {
  let count = 0
  for (let afterN = n; ; ) {
    const page = table.page(afterN, pageRows)
    count += page.length
    const last = page.at(-1)
    if (last === undefined || page.length < pageRows) return count
    afterN = last.n
  }
}

function diffRecords(here: Database, there: Database): StoreDiff['records'] {
  const [own, other] = [new RecordTable(here), new RecordTable(there)]
  const found = { newerHere: 0, newerThere: 0, onlyHere: 0, onlyThere: 0 }
  for (const { publicKey, seq, hash } of own.positions()) {
    const held = other.get(publicKey)
    if (held === undefined) found.onlyHere++
    else {
      const order = compareRecords({ seq, hash }, held)
      if (order > 0) found.newerHere++
      if (order < 0) found.newerThere++
    }
  }
  for (const { publicKey } of other.positions()) if (own.get(publicKey) === undefined) found.onlyThere++
  return found
}
