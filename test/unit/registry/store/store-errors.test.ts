import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { asStoreError, damaged, inUse } from '../../../../src/registry/store/store-errors.ts'
import { DamagedStoreError, StoreError, StoreInUseError } from '../../../../src/runtime/errors.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const path = '/var/lib/trustnet/registry.db'
const failure = (code: string): Error => new BetterSqlite3.SqliteError('what SQLite says', code)

test.each([
  ['SQLITE_BUSY', StoreInUseError, 'stop that one first'],
  ['SQLITE_BUSY_SNAPSHOT', StoreInUseError, 'stop that one first'],
  ['SQLITE_LOCKED', StoreInUseError, 'a data folder of its own'],
  ['SQLITE_FULL', StoreError, 'make room'],
  ['SQLITE_READONLY', StoreError, 'mounted it read-only'],
  ['SQLITE_READONLY_DBMOVED', StoreError, 'mounted it read-only'],
  ['SQLITE_IOERR_WRITE', StoreError, 'the write was undone, reads go on'],
  ['SQLITE_IOERR_FSYNC', StoreError, 'the write was undone, reads go on'],
  ['SQLITE_IOERR_DIR_FSYNC', StoreError, 'ulimit -f'],
  ['SQLITE_IOERR_TRUNCATE', StoreError, 'ulimit -f'],
  ['SQLITE_CORRUPT', DamagedStoreError, 'fetches its replica anew'],
  ['SQLITE_CORRUPT_INDEX', DamagedStoreError, 'restores its newest backup'],
  ['SQLITE_NOTADB', DamagedStoreError, 'restores its newest backup'],
  ['SQLITE_ERROR', DamagedStoreError, 'what SQLite says'],
  ['SQLITE_IOERR_READ', StoreError, 'check the disk'],
  ['SQLITE_CANTOPEN', StoreError, 'ulimit -n']
])('%s says which file, what became of it and what is to be done', (code, kind, words) => {
  const cause = failure(code)
  const error = asStoreError(cause, path)
  expect(error).toBeInstanceOf(kind)
  expect(error).toMatchObject({ cause, message: expect.stringContaining(path) })
  expect(error).toMatchObject({ message: expect.stringContaining(words) })
})

test.each([failure('SQLITE_CONSTRAINT_UNIQUE'), new RangeError('not of the store'), 'no error'])(
  '%s stays as it is: a rule of the program, and nothing that the disk has done',
  (error) => {
    expect(asStoreError(error, path)).toBe(error)
  }
)

test('a store in use names the process that has it, where its pid file can be read', () => {
  const folder = tempFolder()
  onTestFinished(() => folder[Symbol.dispose]())
  const store = join(folder.path, 'registry.db')
  expect(inUse(store).message).toContain('is used by another process')
  writeFileSync(`${store}.pid`, '4711\n')
  expect(inUse(store).message).toContain(`${store} is used by process 4711`)
})

test('a damaged store says what was found', () => {
  expect(damaged(path, 'row 3 missing from index').message).toMatch(
    /registry.db is damaged \(row 3 missing from index\): move it away/
  )
})
