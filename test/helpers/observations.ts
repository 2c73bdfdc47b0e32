import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SigningKey } from '../../src/identity/keys.ts'
import type { Signed } from '../../src/registry/objects/envelope.ts'
import { type NodeRecord, sealRecord } from '../../src/registry/objects/record.ts'
import { Records, type RecordsInit } from '../../src/registry/records/records.ts'
import { type Database, openDatabase } from '../../src/registry/store/database.ts'
import { GroupCommit } from '../../src/registry/store/group-commit.ts'
import { NodeTable } from '../../src/registry/store/node-table.ts'
import { RecordTable } from '../../src/registry/store/record-table.ts'
import type { Clock } from '../../src/runtime/clock-and-logger.ts'
import { aRecord, networkId } from './signed-objects.ts'

/** A real store in a folder of its own. */
export interface TestStore extends Disposable {
  readonly path: string
  readonly db: Database
  readonly write: <T>(run: () => T) => Promise<T>
  readonly records: RecordTable
  readonly nodes: NodeTable
  /** The same file, closed and opened again. */
  reopen(): TestStore
}

const openIn = (folder: string): TestStore => {
  const path = join(folder, 'registry.db')
  const db = openDatabase(path)
  const commit = new GroupCommit(db)
  const close = () => {
    commit.close()
    db.close()
  }
  return {
    path,
    db,
    write: (run) => commit.write(run),
    records: new RecordTable(db),
    nodes: new NodeTable(db),
    reopen: () => {
      close()
      return openIn(folder)
    },
    [Symbol.dispose]: () => {
      close()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

export const openTestStore = (): TestStore => openIn(mkdtempSync(join(tmpdir(), 'trustnet-observations-')))

/** Records over a store, where everybody is a member unless said otherwise. */
export const recordsOver = (store: TestStore, init: Partial<RecordsInit> = {}): Records =>
  new Records({
    networkId,
    table: store.records,
    commit: store,
    membership: { isMember: () => true, isRevoked: () => false },
    ...init
  })

export const recordOf = (key: SigningKey, seq: number, change: Partial<NodeRecord> = {}): Signed<NodeRecord> =>
  sealRecord({ ...aRecord, publicKey: key.publicKey, seq, ...change }, key)

/** A clock that stands still until it is turned. */
export class FakeClock implements Clock {
  #monotonic = 1_000
  #wall = 1_700_000_000_000

  now(): number {
    return this.#wall
  }

  monotonic(): number {
    return this.#monotonic
  }

  advance(ms: number): void {
    this.#monotonic += ms
    this.#wall += ms
  }

  /** The wall clock alone, as when somebody sets it. */
  setWall(ms: number): void {
    this.#wall = ms
  }
}
