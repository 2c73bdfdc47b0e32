import { describe, expect, test } from 'vitest'
import { RecordContents } from '../../../../src/protocols/sync/record-content.ts'
import { aRecord } from '../../../helpers/signed-objects.ts'

const { seq } = aRecord

describe('RecordContents', () => {
  test('a record that is signed again says nothing new; any other difference does', () => {
    const refreshes = new RecordContents()
    expect(refreshes.note(aRecord, 1)).toBe(true)
    expect(refreshes.note({ ...aRecord, seq: seq + 1, issuedMs: 5 }, 2)).toBe(false)
    const changes = [
      { addrs: [] },
      { left: true },
      { tags: ['x'] },
      { registryKey: new Uint8Array(32) },
      { software: '' }
    ]
    for (const [index, change] of changes.entries()) {
      expect(refreshes.note({ ...aRecord, ...change, seq: seq + 2 + index }, 10 + index)).toBe(true)
    }
  })

  test('a reader has seen all that a record says from the change on that said it', () => {
    const refreshes = new RecordContents()
    refreshes.note(aRecord, 5)
    refreshes.note({ ...aRecord, seq: seq + 1 }, 9)
    expect(refreshes.saysNothingNew({ ...aRecord, seq: seq + 1 }, 4)).toBe(false)
    expect(refreshes.saysNothingNew({ ...aRecord, seq: seq + 1 }, 5)).toBe(true)
  })

  test('the same said again after a record that is not known here is told: elsewhere that one may stand', () => {
    const refreshes = new RecordContents()
    refreshes.note(aRecord, 5)
    expect(refreshes.note({ ...aRecord, seq: seq + 2 }, 9)).toBe(true)
    expect(refreshes.saysNothingNew({ ...aRecord, seq: seq + 2 }, 8)).toBe(false)
    expect(refreshes.note({ ...aRecord, seq: seq + 3 }, 10)).toBe(false)
  })

  test('a record that is stored and not noted yet is told', () => {
    const refreshes = new RecordContents()
    refreshes.note(aRecord, 5)
    expect(refreshes.saysNothingNew({ ...aRecord, seq: seq + 1 }, 5)).toBe(false)
  })

  test('what it does not know counts as new', () => {
    const refreshes = new RecordContents()
    expect(refreshes.saysNothingNew(aRecord, 100)).toBe(false)
    refreshes.note(aRecord, 5)
    refreshes.forget(aRecord.publicKey)
    expect(refreshes.saysNothingNew(aRecord, 100)).toBe(false)
  })
})
