import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeAnnouncement, encodeAnnouncement } from '../../../../src/protocols/announce/message.ts'
import { InvalidPayloadError } from '../../../../src/runtime/errors.ts'

describe('announcement', () => {
  test('what is encoded comes back, byte by byte', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('record' as const, 'head' as const),
        fc.uint8Array({ minLength: 1 }),
        (kind, bytes) => {
          const back = decodeAnnouncement(encodeAnnouncement({ kind, envelope: bytes }))
          expect(back?.kind).toBe(kind)
          expect(Buffer.compare(back?.envelope ?? new Uint8Array(), bytes)).toBe(0)
        }
      )
    )
  })

  test('a kind of a newer version is none of ours, and no error', () => {
    expect(decodeAnnouncement(Uint8Array.of(3, 1, 2))).toBeUndefined()
    expect(decodeAnnouncement(Uint8Array.of(0, 1, 2))).toBeUndefined()
  })

  test.each([[[]], [[1]], [[2]]])('refuses %j: there is nothing in it', (bytes) => {
    expect(() => decodeAnnouncement(Uint8Array.from(bytes))).toThrow(InvalidPayloadError)
  })
})
