import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import BetterSqlite3 from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Database, openDatabase, openReadOnly, peekDatabase } from '../../../../src/registry/store/database.ts'
import { MetaTable } from '../../../../src/registry/store/meta-table.ts'
import { type Schema, schema } from '../../../../src/registry/store/schema.ts'
import { StoreError, StoreInUseError, StoreVersionError } from '../../../../src/runtime/errors.ts'

let folder: string
let path: string
const opened: Database[] = []

const open = (options?: { schema: Schema }): Database => {
  const db = openDatabase(path, options)
  opened.push(db)
  return db
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trustnet-store-'))
  path = join(folder, 'registry.db')
})

afterEach(() => {
  for (const db of opened.splice(0)) db.close()
  rmSync(folder, { recursive: true })
})

const tablesOf = (db: Database): unknown[] => db.prepare("SELECT sql FROM sqlite_schema WHERE type = 'table'").all()

describe('openDatabase', () => {
  it('makes a store that is durable, strict and ours', () => {
    const db = open()
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal')
    expect(db.pragma('synchronous', { simple: true })).toBe(2)
    expect(db.pragma('application_id', { simple: true })).toBe(schema.applicationId)
    expect(db.pragma('user_version', { simple: true })).toBe(schema.version)
    const loose = db.prepare("SELECT name FROM pragma_table_list WHERE strict = 0 AND name NOT LIKE 'sqlite_%'").all()
    expect(loose).toEqual([])
  })

  it('keeps what was written', () => {
    const db = open()
    new MetaTable(db).put('a', Uint8Array.of(1, 2))
    db.close()
    expect(existsSync(`${path}.pid`)).toBe(false)
    expect(new MetaTable(open()).get('a')).toEqual(Buffer.from([1, 2]))
  })

  it.each(['pid', 'restoring.pid'])('waits for no reader of a pipe that lies at its %s', (end) => {
    execFileSync('mkfifo', [join(folder, `registry.db.${end}`)])
    const db = openDatabase(end === 'pid' ? path : join(folder, 'registry.db.restoring'))
    db.close()
    expect(existsSync(join(folder, `registry.db.${end}`))).toBe(false)
  })

  it('refuses a second open in this process, by another spelling of the path too', () => {
    const db = open()
    expect(() => openDatabase(path)).toThrow(StoreInUseError)
    expect(() => openDatabase(join(folder, '..', folder.split('/').at(-1) ?? '', 'registry.db'))).toThrow(
      `process (${process.pid})`
    )
    new MetaTable(db).put('still', Uint8Array.of(1))
  })

  it('refuses a second open by another process, names the first, and damages nothing', async () => {
    const db = open()
    new MetaTable(db).put('a', Uint8Array.of(1))
    const module = new URL('../../../../src/registry/store/database.ts', import.meta.url).href
    const code = `import('${module}').then(({ openDatabase }) => openDatabase(process.argv[1])).catch((error) => console.log(error.name, error.message))`
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', code, path])
    expect(stdout).toContain('StoreInUseError')
    expect(stdout).toContain(`process ${process.pid}`)
    new MetaTable(db).put('b', Uint8Array.of(2))
    db.close()
    expect(new MetaTable(open()).get('b')).toEqual(Buffer.from([2]))
  })

  it.each([
    ['a newer schema', `user_version = ${schema.version + 1}`, 'newer version'],
    ['another program', 'application_id = 7', 'another program']
  ])('refuses %s and touches nothing', (_, pragma, message) => {
    open().close()
    const other = new BetterSqlite3(path)
    other.pragma(pragma)
    other.close()
    const before = readFileSync(path)
    const times = statSync(path).mtimeMs
    expect(() => openDatabase(path)).toThrow(StoreVersionError)
    expect(() => openDatabase(path)).toThrow(message)
    expect(readFileSync(path)).toEqual(before)
    expect(statSync(path).mtimeMs).toBe(times)
    expect(existsSync(`${path}-wal`)).toBe(false)
  })

  it('refuses a newer schema that only the WAL knows of, after a crash of the newer version', () => {
    open().close()
    const other = new BetterSqlite3(path)
    other.pragma('wal_autocheckpoint = 0')
    other.pragma('user_version = 99')
    const copy = join(folder, 'crashed.db')
    writeFileSync(copy, readFileSync(path))
    writeFileSync(`${copy}-wal`, readFileSync(`${path}-wal`))
    other.close()
    expect(() => openDatabase(copy)).toThrow(StoreVersionError)
  })

  it('refuses an SQLite file of somebody else that has no id', () => {
    const other = new BetterSqlite3(path)
    other.exec('CREATE TABLE theirs (x)')
    other.close()
    expect(() => openDatabase(path)).toThrow(StoreVersionError)
  })

  it.each([
    [
      'garbage',
      () => writeFileSync(path, 'no database at all, but longer than a header of a hundred bytes. '.repeat(9))
    ],
    ['a few bytes', () => writeFileSync(path, 'SQLite')],
    [
      'half a file',
      () => {
        open().close()
        truncateSync(path, statSync(path).size / 2)
      }
    ],
    [
      'a page of zeros',
      () => {
        open().close()
        const bytes = readFileSync(path)
        bytes.fill(0, 4096, 8192)
        writeFileSync(path, bytes)
      }
    ]
  ])('refuses %s and says what to do', (_, damage) => {
    damage()
    expect(() => openDatabase(path)).toThrow(StoreError)
    expect(() => openDatabase(path)).toThrow('move it away')
  })

  it('starts anew over an empty file, which is what a crash while making it leaves', () => {
    writeFileSync(path, '')
    expect(new MetaTable(open()).get('a')).toBeUndefined()
  })

  it('says so when the folder cannot be made', () => {
    writeFileSync(join(folder, 'file'), '')
    expect(() => openDatabase(join(folder, 'file', 'registry.db'))).toThrow(StoreError)
  })
})

describe('migrations', () => {
  const first: Schema = {
    applicationId: schema.applicationId,
    version: 1,
    create: 'CREATE TABLE a (x INTEGER) STRICT',
    migrations: new Map()
  }
  const third: Schema = {
    ...first,
    version: 3,
    create: 'CREATE TABLE a (x INTEGER) STRICT; CREATE TABLE b (y INTEGER) STRICT; CREATE TABLE c (z INTEGER) STRICT',
    migrations: new Map([
      [1, 'CREATE TABLE b (y INTEGER) STRICT; INSERT INTO b SELECT x FROM a'],
      [2, 'CREATE TABLE c (z INTEGER) STRICT']
    ])
  }

  it('bring a store through all versions, keep its rows, and leave a verified backup', () => {
    const db = open({ schema: first })
    db.exec('INSERT INTO a VALUES (7)')
    db.close()
    const migrated = open({ schema: third })
    expect(migrated.prepare('SELECT y FROM b').all()).toEqual([{ y: 7 }])
    expect(migrated.pragma('user_version', { simple: true })).toBe(3)
    const backup = new BetterSqlite3(`${path}.v1.backup`)
    expect(backup.pragma('user_version', { simple: true })).toBe(1)
    expect(backup.prepare('SELECT x FROM a').all()).toEqual([{ x: 7 }])
    backup.close()
  })

  it('give the tables that a new store has', () => {
    open({ schema: first }).close()
    const migrated = open({ schema: third })
    const tables = tablesOf(migrated)
    migrated.close()
    rmSync(path)
    expect(tables).toEqual(tablesOf(open({ schema: third })))
  })

  it('change nothing when a step fails, and succeed the next time', () => {
    open({ schema: first }).close()
    const broken: Schema = {
      ...third,
      migrations: new Map([...third.migrations, [2, 'CREATE TABLE a (x INTEGER) STRICT']])
    }
    expect(() => openDatabase(path, { schema: broken })).toThrow(StoreError)
    const held = open({ schema: first })
    expect(held.pragma('user_version', { simple: true })).toBe(1)
    expect(tablesOf(held)).toHaveLength(1)
    held.close()
    expect(open({ schema: third }).pragma('user_version', { simple: true })).toBe(3)
  })

  it('say so when a step is missing', () => {
    open({ schema: first }).close()
    expect(() => openDatabase(path, { schema: { ...third, migrations: new Map() } })).toThrow('too old')
  })
})

describe('peekDatabase', () => {
  it('reads a store and lets go of it', () => {
    expect(peekDatabase(path, () => 1)).toBeUndefined()
    expect(existsSync(path)).toBe(false)
    const db = open()
    new MetaTable(db).put('a', Uint8Array.of(1))
    expect(() => peekDatabase(path, () => 1)).toThrow(StoreInUseError)
    db.close()
    expect(peekDatabase(path, (peeked) => new MetaTable(peeked).get('a'))).toEqual(Buffer.from([1]))
    open()
  })
})

it.each(['-journal', '-wal', '-shm'])('refuses a pipe at %s, on which SQLite would wait for ever', (end) => {
  openDatabase(path).close()
  execFileSync('mkfifo', [path + end])
  for (const opening of [openDatabase, openReadOnly, (at: string) => peekDatabase(at, () => 0)])
    expect(() => opening(path)).toThrow(`${path}${end} is no file`)
})
