import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeAnnouncement,
  decodeCosigned,
  encodeAnnouncement,
  encodeCosigned
} from '../../../../src/protocols/announce/message.ts'
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
    expect(decodeAnnouncement(Uint8Array.of(4, 1, 2))).toBeUndefined()
    expect(decodeAnnouncement(Uint8Array.of(0, 1, 2))).toBeUndefined()
  })

  test.each([[[]], [[1]], [[2]]])('refuses %j: there is nothing in it', (bytes) => {
    expect(() => decodeAnnouncement(Uint8Array.from(bytes))).toThrow(InvalidPayloadError)
  })
})

describe('cosignatures', () => {
  const hash = new Uint8Array(32).fill(7)
  const cosignatures = [new Uint8Array(104).fill(1), new Uint8Array(104).fill(2)]

  test('come back with the hash that they are of', () => {
    expect(decodeCosigned(encodeCosigned({ hash, cosignatures }))).toEqual({ hash, cosignatures })
  })

  test.each([0, 31, 32, 135, 137])('are refused in %i bytes: none, or not whole', (length) => {
    expect(() => decodeCosigned(new Uint8Array(length))).toThrow(InvalidPayloadError)
  })
})
