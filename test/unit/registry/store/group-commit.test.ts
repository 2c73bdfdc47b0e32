import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../../../src/registry/store/database.ts'
import { GroupCommit } from '../../../../src/registry/store/group-commit.ts'
import { MetaTable } from '../../../../src/registry/store/meta-table.ts'
import { StoreError } from '../../../../src/runtime/errors.ts'

let folder: string
let db: Database
let meta: MetaTable
let commit: GroupCommit
let health: (Error | undefined)[]
const one = Uint8Array.of(1)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trustnet-commit-'))
  db = openDatabase(join(folder, 'registry.db'))
  meta = new MetaTable(db)
  health = []
  commit = new GroupCommit(db, (failure) => health.push(failure))
})

afterEach(() => {
  db.close()
  rmSync(folder, { recursive: true })
})

describe('GroupCommit', () => {
  it('runs the writes of a tick in order in one transaction, and resolves behind the commit', async () => {
    const seen: string[] = []
    const write = (name: string) => commit.write(() => seen.push(`${name} ${db.inTransaction}`))
    const results = await Promise.all([write('a'), write('b'), write('c')])
    expect(seen).toEqual(['a true', 'b true', 'c true'])
    expect(results).toEqual([1, 2, 3])
    expect(db.inTransaction).toBe(false)
  })

  it('undoes a write that throws, alone and wholly', async () => {
    const results = await Promise.allSettled([
      commit.write(() => meta.put('a', one)),
      commit.write(() => {
        meta.put('b', one)
        throw new RangeError('no')
      }),
      commit.write(() => meta.put('c', one))
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(results[1]).toMatchObject({ reason: { name: 'RangeError' } })
    expect([meta.get('a'), meta.get('b'), meta.get('c')].map((value) => value !== undefined)).toEqual([
      true,
      false,
      true
    ])
  })

  it('rejects all writes of a commit that fails, and goes on with the next', async () => {
    db.exec('CREATE TABLE parent (id INTEGER PRIMARY KEY) STRICT')
    db.exec('CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED) STRICT')
    const results = await Promise.allSettled([
      commit.write(() => meta.put('a', one)),
      commit.write(() => db.exec('INSERT INTO child VALUES (1)'))
    ])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(meta.get('a')).toBeUndefined()
    await commit.write(() => meta.put('a', one))
    expect(meta.get('a')).toBeDefined()
  })

  it('says that the disk is full, undoes that, and writes again when there is room', async () => {
    const pages = Number(db.pragma('page_count', { simple: true }))
    db.pragma(`max_page_count = ${pages + 4}`)
    const big = new Uint8Array(64 * 1024)
    const results = await Promise.allSettled([
      commit.write(() => meta.put('small', one)),
      commit.write(() => meta.put('big', big))
    ])
    expect(results[1]).toMatchObject({
      reason: { name: 'StoreError', message: expect.stringContaining('no space left') }
    })
    expect(meta.get('big')).toBeUndefined()
    expect(commit.failure?.message).toContain('no space left')
    expect(meta.get('small') !== undefined).toBe(results[0]?.status === 'fulfilled')
    db.pragma('max_page_count = 100000')
    await commit.write(() => meta.put('big', big))
    expect(commit.failure).toBeUndefined()
    expect(health.map((failure) => failure?.name)).toEqual(['StoreError', undefined])
    expect(meta.get('big')).toHaveLength(big.length)
  })

  it('refuses a write that is not synchronous', async () => {
    await expect(commit.write(async () => meta.put('a', one))).rejects.toThrow(TypeError)
    await expect(commit.write(() => 1)).resolves.toBe(1)
  })

  it('takes more writes than fit into one transaction', async () => {
    const writes = Array.from({ length: 2500 }, (_, index) => commit.write(() => meta.put(`key ${index}`, one)))
    await Promise.all(writes)
    expect(db.prepare('SELECT count(*) AS count FROM meta').get()).toEqual({ count: 2500 })
  })

  it('writes what waits when it closes, and then refuses', async () => {
    const written = commit.write(() => meta.put('a', one))
    commit.close()
    await written
    await expect(commit.write(() => meta.put('b', one))).rejects.toThrow(StoreError)
  })

  it('rejects what waits when the database is closed under it', async () => {
    const written = commit.write(() => meta.put('a', one))
    db.close()
    await expect(written).rejects.toThrow('not open')
  })
})
