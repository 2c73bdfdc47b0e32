import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { countRows, digestFile, sealCopy } from '../../../../src/registry/store/copy-store.ts'
import { openDatabase, openReadOnly } from '../../../../src/registry/store/database.ts'
import { MetaTable } from '../../../../src/registry/store/meta-table.ts'
import { schema } from '../../../../src/registry/store/schema.ts'
import { StoreError } from '../../../../src/runtime/errors.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'
import { tempFolder } from '../../../helpers/temp.ts'

let folder: string

beforeEach(() => {
  const made = tempFolder()
  folder = made.path
  return () => made[Symbol.dispose]()
})

/** A copy of the store of a root with one member more, as the backup API makes it. */
const copied = async (): Promise<{ path: string; n: number; hash: Uint8Array; checkpoint: Uint8Array | undefined }> => {
  await using network = await RealNetwork.create()
  await network.admit('ann')
  const { head, checkpoint } = network.root.replica
  await network.root.close()
  const path = join(folder, 'copy.db')
  const db = openDatabase(network.path('root'))
  await db.backup(path)
  db.close()
  return { path, n: head.n, hash: head.hash, checkpoint: checkpoint?.bytes }
}

describe('a copy of a store', () => {
  it('is one plain file, which can be read where nothing can be written', async () => {
    const { path } = await copied()
    sealCopy(path, [])
    expect(['-wal', '-shm', '-journal', '.pid'].filter((end) => existsSync(path + end))).toEqual([])
    chmodSync(path, 0o400)
    const db = openReadOnly(path)
    expect(db.pragma('journal_mode', { simple: true })).toBe('delete')
    db.close()
  })

  it('is described by what it holds', async () => {
    const { path, n, hash, checkpoint } = await copied()
    const facts = sealCopy(path, [])
    expect(facts.schema).toBe(schema.version)
    expect(facts.last).toEqual({ epoch: 0, n, hash: Buffer.from(hash) })
    expect(facts.checkpoint).toEqual(Buffer.from(checkpoint ?? []))
    expect(facts.rows).toMatchObject({ log: n + 1, records: 0 })
    expect(facts.file).toEqual({
      bytes: readFileSync(path).length,
      sha256: createHash('sha256').update(readFileSync(path)).digest('hex')
    })
  })

  it('has lost what belongs to the original alone', async () => {
    const { path } = await copied()
    const before = openDatabase(path)
    new MetaTable(before).put('cursor', Uint8Array.of(1))
    new MetaTable(before).put('kept', Uint8Array.of(2))
    before.close()
    sealCopy(path, ['cursor', 'none'])
    const db = openReadOnly(path)
    const meta = new MetaTable(db)
    expect([meta.get('cursor'), meta.get('kept')]).toEqual([undefined, Buffer.of(2)])
    db.close()
  })

  it('of a new store has no head and no checkpoint', () => {
    const path = join(folder, 'new.db')
    openDatabase(path).close()
    expect(sealCopy(path, [])).toMatchObject({ last: undefined, checkpoint: undefined })
  })

  it.each([
    [
      'is no database',
      'no database at all, and longer than a header is, so that it is no file that was cut: '.repeat(3)
    ],
    ['was cut', 'SQLite format 3']
  ])('that %s is refused, and let go of', (_what, content) => {
    const path = join(folder, 'damaged.db')
    writeFileSync(path, content)
    expect(() => sealCopy(path, [])).toThrow(StoreError)
    expect(readFileSync(path, 'utf8')).toBe(content)
    expect(existsSync(`${path}.pid`)).toBe(false)
  })
})

describe('the rows of a store', () => {
  it('are counted by table, in the order of their names', () => {
    const db = openDatabase(join(folder, 'new.db'))
    new MetaTable(db).put('a', Uint8Array.of(1))
    const rows = countRows(db)
    expect(Object.keys(rows)).toEqual(Object.keys(rows).toSorted((a, b) => (a < b ? -1 : 1)))
    expect(rows).toMatchObject({ meta: 1, log: 0, history: 0 })
    db.close()
  })
})

describe('the digest of a file', () => {
  it.each([0, 1, 1024 * 1024, 1024 * 1024 + 1])('is that of all of its %i bytes', (length) => {
    const path = join(folder, 'file')
    const content = Buffer.alloc(length, 7)
    writeFileSync(path, content)
    const sha256 = createHash('sha256').update(content).digest('hex')
    expect(digestFile(path)).toEqual({ bytes: length, sha256 })
    expect(digestFile(path, { sync: true })).toEqual({ bytes: length, sha256 })
  })

  it('is none of a folder, and none of what is not there', () => {
    mkdirSync(join(folder, 'sub'))
    expect(() => digestFile(join(folder, 'sub'))).toThrow(/file|EISDIR/)
    expect(() => digestFile(join(folder, 'none'))).toThrow('ENOENT')
  })
})
