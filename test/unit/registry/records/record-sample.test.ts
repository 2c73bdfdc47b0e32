import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { openTestStore, recordOf, recordsOver, type TestStore } from '../../../helpers/observations.ts'

let store: TestStore

beforeEach(() => {
  store = openTestStore()
})

afterEach(() => store[Symbol.dispose]())

const idsOf = (rows: readonly { publicKey: Uint8Array }[]): Set<string> =>
  new Set(rows.map(({ publicKey }) => Buffer.from(publicKey).toString('hex')))

describe('a sample', () => {
  it('is bounded, without repetition, and of those that pass', async () => {
    const records = recordsOver(store)
    const keys = Array.from({ length: 20 }, () => SigningKey.generate())
    await Promise.all(keys.map((each, i) => records.put(recordOf(each, 1, { left: i % 2 === 0 }).bytes)))
    expect(idsOf(records.sample(5)).size).toBe(5)
    expect(idsOf(records.sample(100)).size).toBe(20)
    const here = records.sample(100, (row) => records.read(row.publicKey)?.left === false)
    expect(idsOf(here).size).toBe(10)
    expect(recordsOver(store).sample(0)).toEqual([])
  })

  it('of nothing is nothing', () => {
    expect(recordsOver(store).sample(3)).toEqual([])
  })
})
