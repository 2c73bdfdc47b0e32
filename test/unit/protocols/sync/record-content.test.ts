import { describe, expect, test } from 'vitest'
import { RecordContents } from '../../../../src/protocols/sync/record-content.ts'
import { aRecord } from '../../../helpers/signed-objects.ts'

const { publicKey } = aRecord

describe('Refreshes', () => {
  test('a record that is signed again says nothing new; any other difference does', () => {
    const refreshes = new RecordContents()
    expect(refreshes.note(aRecord, 1)).toBe(true)
    expect(refreshes.note({ ...aRecord, seq: 8, issuedMs: 5 }, 2)).toBe(false)
    const changes = [
      { addrs: [] },
      { left: true },
      { tags: ['x'] },
      { registryKey: new Uint8Array(32) },
      { software: '' }
    ]
    for (const [index, change] of changes.entries()) {
      expect(refreshes.note({ ...aRecord, ...change }, 10 + index)).toBe(true)
    }
  })

  test('a reader has seen all that a record says from the change on that said it', () => {
    const refreshes = new RecordContents()
    refreshes.note(aRecord, 5)
    refreshes.note({ ...aRecord, seq: 8 }, 9)
    expect(refreshes.saysNothingNew(publicKey, 4)).toBe(false)
    expect(refreshes.saysNothingNew(publicKey, 5)).toBe(true)
  })

  test('what it does not know counts as new', () => {
    const refreshes = new RecordContents()
    expect(refreshes.saysNothingNew(publicKey, 100)).toBe(false)
    refreshes.note(aRecord, 5)
    refreshes.forget(publicKey)
    expect(refreshes.saysNothingNew(publicKey, 100)).toBe(false)
  })
})
