import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { unasked } from '../../../../src/node/api/stamp.ts'
import { diffStoresAt, verifyStoreAt } from '../../../../src/node/offline/stopped-store.ts'
import { WrongNetworkError } from '../../../../src/runtime/errors.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'
import { expectSchema } from '../../../helpers/schemas.ts'
import { tempFolder } from '../../../helpers/temp.ts'

describe('the comparison of two stores', () => {
  it('counts what only one of them has, both ways', async () => {
    using folder = tempFolder()
    await using network = await RealNetwork.create()
    const [old, copy, same] = ['old.db', 'new.db', 'same.db'].map((name) => join(folder.path, name))
    if (old === undefined || copy === undefined || same === undefined) throw new Error('no paths')
    await network.root.backup(old)
    await network.admit('ann')
    await network.root.backup(copy)
    await network.root.backup(same)
    const view = diffStoresAt(copy, old)
    expectSchema('registry-diff', unasked(view))
    expect(view).toMatchObject({ same: false, differsFrom: null, entries: { onlyHere: 2, onlyThere: 0 } })
    expect(diffStoresAt(old, copy)).toMatchObject({ same: false, entries: { onlyHere: 0, onlyThere: 2 } })
    expect(diffStoresAt(same, copy)).toMatchObject({ same: true, differsFrom: null })
    await verifyStoreAt(copy)
    // SQLite's own files beside a database are gone with their readers.
    expect(readdirSync(folder.path).filter((name) => /-(wal|shm|journal)$/.test(name))).toEqual([])
  })

  it('finds the entry from which two histories differ, and refuses another network', async () => {
    using folder = tempFolder()
    await using network = await RealNetwork.create()
    await using other = await RealNetwork.create()
    const [one, two, foreign] = [join(folder.path, '1.db'), join(folder.path, '2.db'), join(folder.path, '3.db')]
    await network.root.backup(one)
    await network.root.backup(two)
    await other.root.backup(foreign)
    const db = new BetterSqlite3(two)
    db.exec('UPDATE log SET hash = randomblob(32) WHERE n = 2')
    db.close()
    expect(diffStoresAt(one, two)).toMatchObject({ same: false, differsFrom: 2 })
    expect(() => diffStoresAt(one, foreign)).toThrow(WrongNetworkError)
  })
})
