import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../../../src/registry/store/database.ts'
import { schema } from '../../../../src/registry/store/schema.ts'
import type { Database } from '../../../../src/registry/store/sqlite.ts'
import {
  assertSqlite,
  headerOf,
  integrityCheck,
  quickCheck,
  refuseVersion,
  requireFiles
} from '../../../../src/registry/store/store-checks.ts'
import { DamagedStoreError, StoreError, StoreVersionError } from '../../../../src/runtime/errors.ts'
import { tempFolder } from '../../../helpers/temp.ts'

let path: string

beforeEach(() => {
  const folder = tempFolder()
  path = join(folder.path, 'registry.db')
  return () => folder[Symbol.dispose]()
})

describe('what lies beside a store', () => {
  test.each(['-journal', '-wal', '-shm'])('is opened as %s only when it is a file', (end) => {
    requireFiles(path)
    writeFileSync(path + end, '')
    requireFiles(path)
  })

  test.each([
    ['a pipe', (file: string) => execFileSync('mkfifo', [file])],
    ['a folder', (file: string) => mkdirSync(file)],
    ['a link to somewhere', (file: string) => symlinkSync('/dev/zero', file)]
  ])('is refused when it is %s, by its name', (_what, make) => {
    make(`${path}-wal`)
    expect(() => requireFiles(path)).toThrow(`${path}-wal is no file`)
  })
})

describe('the header of a store', () => {
  test('is none where there is no file, or an empty one', () => {
    expect(headerOf(path)).toBeUndefined()
    writeFileSync(path, '')
    expect(headerOf(path)).toBeUndefined()
  })

  test('is its first 100 bytes', () => {
    openDatabase(path).close()
    expect(headerOf(path)?.subarray(0, 15).toString()).toBe('SQLite format 3')
    expect(headerOf(path)?.length).toBe(100)
  })

  test('that ends early is damage', () => {
    writeFileSync(path, 'SQLite format 3')
    expect(() => headerOf(path)).toThrow(DamagedStoreError)
    expect(() => headerOf(path)).toThrow('it ends after 15 bytes')
  })

  test('that cannot be read is told with the reason', () => {
    mkdirSync(path)
    expect(() => headerOf(path)).toThrow(StoreError)
    expect(() => headerOf(path)).toThrow(`${path}: cannot be read`)
  })
})

describe('the version of a store', () => {
  const { applicationId, version } = schema

  test.each([
    ['ours', { applicationId, version }],
    ['one whose tables were never made', { applicationId: 0, version: 0 }],
    ['one that is brought up to date', { applicationId, version: schema.oldest ?? 0 }]
  ])('is taken: %s', (_what, found) => {
    refuseVersion(path, found, schema)
  })

  test.each([
    ['of another program', { applicationId: 1, version }, 'belongs to another program'],
    ['of an unnamed program', { applicationId: 0, version: 7 }, 'belongs to another program'],
    ['newer than this program', { applicationId, version: version + 1 }, 'start the newer version again'],
    ['older than it reads', { applicationId, version: (schema.oldest ?? 0) - 1 }, 'make the network anew']
  ])('is refused: %s', (_what, found, words) => {
    const refuse = (): void => refuseVersion(path, found, schema)
    expect(refuse).toThrow(StoreVersionError)
    expect(refuse).toThrow(words)
  })
})

describe('the version of SQLite', () => {
  /** As much of a database as says its version. */
  const withVersion = (version: string | undefined): Database => {
    const db = openDatabase(join(path, '..', `${version}.db`))
    const prepare = db.prepare.bind(db)
    const said = version === undefined ? 'SELECT 1 WHERE 0' : `SELECT '${version}'`
    return Object.assign(db, { prepare: () => prepare(said) })
  }

  test.each(['3.51.3', '3.51.10', '3.52.0', '4.0.0'])('%s is safe', (version) => {
    assertSqlite(withVersion(version))
  })

  test.each(['3.51.2', '3.50.9', '3.7.0', '2.99.99', undefined])('%s can damage databases', (version) => {
    expect(() => assertSqlite(withVersion(version))).toThrow(/3\.51\.3 is the oldest that is safe/)
  })
})

/** Changes what the store says of itself, behind SQLite's back. */
const rewrite = (db: Database, sql: string): void => {
  db.unsafeMode()
  db.pragma('writable_schema = ON')
  db.exec(sql)
  db.pragma('writable_schema = RESET')
}

test('a sound store passes both checks; a row that its index lacks is found by the whole one', () => {
  const db = openDatabase(path)
  db.exec('CREATE TABLE t (a INTEGER, b INTEGER) STRICT; CREATE INDEX i ON t (a)')
  quickCheck(db, path)
  integrityCheck(db, path)
  rewrite(db, "UPDATE sqlite_schema SET sql = 'CREATE INDEX i ON t (b)' WHERE name = 'i'")
  db.exec('INSERT INTO t VALUES (1, 2)')
  rewrite(db, "UPDATE sqlite_schema SET sql = 'CREATE INDEX i ON t (a)' WHERE name = 'i'")
  quickCheck(db, path)
  expect(() => integrityCheck(db, path)).toThrow(DamagedStoreError)
  expect(() => integrityCheck(db, path)).toThrow('missing from index i')
  db.close()
})

test('two tables in one place are found by the quick check, too', () => {
  const db = openDatabase(path)
  rewrite(
    db,
    "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'log') WHERE name = 'meta'"
  )
  expect(() => quickCheck(db, path)).toThrow(DamagedStoreError)
  db.close()
})
