import { beforeEach, describe, expect, it } from 'vitest'
import { GroupCommit } from '../../../../src/registry/store/group-commit.ts'
import { MetaTable } from '../../../../src/registry/store/meta-table.ts'
import {
  forgetRestored,
  markRestored,
  metaOf,
  ownStoreId,
  restoredFrom,
  storeIdKey
} from '../../../../src/registry/store/node-values.ts'
import { openTestStore, type TestStore } from '../../../helpers/observations.ts'

let store: TestStore
let table: MetaTable
let commit: GroupCommit

beforeEach(() => {
  store = openTestStore()
  table = new MetaTable(store.db)
  commit = new GroupCommit(store.db)
  return () => {
    commit.close()
    store[Symbol.dispose]()
  }
})

describe('the id of a store', () => {
  it('is made once, and another one in each store', async () => {
    const id = await ownStoreId(table, commit)
    expect(id).toHaveLength(16)
    expect(await ownStoreId(table, commit)).toEqual(Buffer.from(id))
    using other = openTestStore()
    const second = new GroupCommit(other.db)
    expect(await ownStoreId(new MetaTable(other.db), second)).not.toEqual(id)
    second.close()
  })

  it('is another one after a restore, which is marked until the heads of others were heard', async () => {
    const id = await ownStoreId(table, commit)
    expect(restoredFrom(table)).toBeUndefined()
    const from = { backupMs: 1, restoredMs: 2, epoch: 3, n: 4 }
    markRestored(store.db, from)
    expect(table.get(storeIdKey)).toBeUndefined()
    expect(restoredFrom(table)).toEqual(from)
    expect(await ownStoreId(table, commit)).not.toEqual(id)
    await forgetRestored(table, commit)
    expect(restoredFrom(table)).toBeUndefined()
  })
})

describe('values of a node', () => {
  it('are kept, replaced and removed, and never meet those of the store', async () => {
    const meta = metaOf(table, commit)
    const id = await ownStoreId(table, commit)
    await meta.set(storeIdKey, Uint8Array.of(1))
    await meta.set('seq', Uint8Array.of(1))
    await meta.set('seq', Uint8Array.of(2))
    expect(meta.get('seq')).toEqual(Buffer.of(2))
    expect(meta.get('none')).toBeUndefined()
    expect(await ownStoreId(table, commit)).toEqual(Buffer.from(id))
    await meta.delete(storeIdKey)
    await meta.delete('none')
    expect(meta.get(storeIdKey)).toBeUndefined()
    expect(await ownStoreId(table, commit)).toEqual(Buffer.from(id))
  })

  it('are as before when the commit that changes them fails', async () => {
    const meta = metaOf(table, commit)
    await meta.set('seq', Uint8Array.of(1))
    commit.close()
    await expect(meta.set('seq', Uint8Array.of(2))).rejects.toThrow('closed')
    await expect(meta.delete('seq')).rejects.toThrow('closed')
    expect(meta.get('seq')).toEqual(Buffer.of(1))
  })
})
