import { equals } from 'uint8arrays/equals'
import { WrongNetworkError } from '../../runtime/errors.ts'
import { storedGenesis } from '../log/stored-genesis.ts'
import { compareRecords } from '../objects/record.ts'
import { RecordDigest } from '../records/record-digest.ts'
import { type Database, openReadOnly } from '../store/database.ts'
import type { LogRow } from '../store/log-rows.ts'
import { LogTable } from '../store/log-table.ts'
import { RecordTable } from '../store/record-table.ts'

const pageRows = 1000

/** Differences between one store and another of the same network. */
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
  /** Digest of all records of each: equal when these are. */
  readonly digest: Uint8Array
  readonly otherDigest: Uint8Array
  /** Some of the records that differ. */
  readonly differing: readonly RecordDifference[]
}

/** seq of a record in each store; undefined: it is not there. */
export interface RecordDifference {
  readonly publicKey: Uint8Array
  readonly here: number | undefined
  readonly there: number | undefined
}

const mostShown = 50

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
      const [own, other] = [new RecordTable(here), new RecordTable(there)]
      const digests = { digest: new RecordDigest(own).bytes(), otherDigest: new RecordDigest(other).bytes() }
      return { ...diffLogs(new LogTable(here), new LogTable(there)), ...digests, ...diffRecords(own, other) }
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

function diffLogs(
  here: LogTable,
  there: LogTable
): Pick<StoreDiff, 'head' | 'otherHead' | 'differsFrom' | 'entriesOnlyHere' | 'entriesOnlyThere'> {
  const head = headOf(here.last())
  const otherHead = headOf(there.last())
  let differsFrom: number | undefined
  for (let afterN = -1; differsFrom === undefined; ) {
    const page = here.page(afterN, pageRows)
    // An entry that one side has compacted away is no difference.
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

function diffRecords(own: RecordTable, other: RecordTable): Pick<StoreDiff, 'records' | 'differing'> {
  const records = { newerHere: 0, newerThere: 0, onlyHere: 0, onlyThere: 0 }
  const differing: RecordDifference[] = []
  const count = (kind: keyof typeof records, difference: RecordDifference): void => {
    records[kind]++
    if (differing.length < mostShown) differing.push(difference)
  }
  for (const { publicKey, seq, hash } of own.positions()) {
    const held = other.get(publicKey)
    const difference = { publicKey, here: seq, there: held?.seq }
    const order = held === undefined ? 0 : compareRecords({ seq, hash }, held)
    if (held === undefined) count('onlyHere', difference)
    else if (order > 0) count('newerHere', difference)
    else if (order < 0) count('newerThere', difference)
  }
  for (const { publicKey, seq } of other.positions()) {
    if (own.get(publicKey) === undefined) count('onlyThere', { publicKey, here: undefined, there: seq })
  }
  return { records, differing }
}
