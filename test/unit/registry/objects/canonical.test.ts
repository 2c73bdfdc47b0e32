import * as fc from 'fast-check'
import { concat } from 'uint8arrays/concat'
import { describe, expect, it } from 'vitest'
import {
  type Field,
  requireCanonical,
  type Shape,
  type Shapes
} from '../../../../src/registry/objects/encoding/canonical.ts'
import { decodeStrictly, type PayloadCodec } from '../../../../src/registry/objects/signed.ts'
import { Genesis, Invite, NodeRecord, shapes } from '../../../../src/registry/pb/registry.ts'
import { anyFields, bytesOf } from '../../../helpers/signed-objects.ts'

const field = (type: Field['type'], rule?: 'repeated' | 'optional'): Field =>
  rule === undefined ? { type } : { type, rule }
const inner = {}
const innerShape: Shape = { 1: field('uint32'), 2: field('string') }
const shape: Shape = {
  1: field('uint32'),
  2: field('uint64'),
  3: field('bool'),
  5: field('bytes'),
  6: field('string', 'repeated'),
  7: field(inner),
  8: field('uint32', 'optional'),
  9: field('uint64', 'repeated')
}
const all: Shapes = new Map([[inner, innerShape]])
const verdict = (...bytes: number[]): string => {
  try {
    requireCanonical(Uint8Array.from(bytes), shape, all, 'thing')
    return 'taken'
  } catch (error) {
    return error instanceof Error ? error.message.replace('the thing is not encoded as it should be: ', '') : 'unknown'
  }
}

describe('the one encoding of a message', () => {
  it.each<[string, number[]]>([
    ['nothing', []],
    ['each field once', [8, 1, 16, 1, 24, 1, 42, 1, 0, 50, 0, 58, 2, 8, 1, 64, 0, 72, 0]],
    ['a repeated field several times', [50, 1, 65, 50, 1, 65, 72, 1, 72, 0]],
    ['an empty message inside', [58, 0]],
    ['the largest uint32', [8, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['the largest uint64', [16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['fields of a newer version of each wire type', [80, 0, 89, 1, 2, 3, 4, 5, 6, 7, 8, 98, 1, 9, 109, 1, 2, 3, 4]],
    ['a field of a newer version twice', [80, 1, 80, 2]],
    ['fields of a newer version inside', [58, 4, 8, 1, 24, 0]],
    ['the highest field number', [0xf8, 0xff, 0xff, 0xff, 0x0f, 1]],
    ['the largest number of 64 bits in a newer field', [80, ...Array.from({ length: 9 }, () => 0xff), 1]]
  ])('may be %s', (_, bytes) => expect(verdict(...bytes)).toBe('taken'))

  it.each<[string, number[], string]>([
    ['a known field again behind the others', [8, 1, 16, 1, 8, 1], 'field 1 behind field 2'],
    ['a known field again behind a newer one', [80, 1, 8, 1], 'field 1 behind field 10'],
    ['a field twice', [8, 1, 8, 1], 'field 1 twice'],
    ['field number 0', [0, 1], 'no field number'],
    ['field number 2^29', [0x80, 0x80, 0x80, 0x80, 0x10, 1], 'no field number'],
    ['a number between known ones', [32, 1], 'a field 4, which nobody knows'],
    ['newer fields out of order', [88, 1, 80, 1], 'field 10 behind field 11'],
    ['a tag that is not the shortest', [0x88, 0, 1], 'no field number'],
    ['a tag without an end', [0x88], 'no field number'],
    ['a number that is not the shortest', [8, 0x81, 0], 'no number of its type in field 1'],
    ['a number without an end', [8, 0x81], 'no number of its type in field 1'],
    ['a number of 11 bytes', [80, ...Array.from({ length: 10 }, () => 0x80), 1], 'no number in field 10'],
    ['a number of more than 64 bits', [80, ...Array.from({ length: 9 }, () => 0xff), 2], 'no number in field 10'],
    ['more than a uint32', [8, 0x80, 0x80, 0x80, 0x80, 0x10], 'no number of its type'],
    ['more than 2^53 - 1', [16, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10], 'no number of its type'],
    ['a bool of 2', [24, 2], 'no number of its type in field 3'],
    ['a zero', [8, 0], 'a zero, which is left out'],
    ['empty bytes', [42, 0], 'nothing, which is left out'],
    ['a number as bytes', [10, 1, 1], 'wire type 2 in field 1'],
    ['bytes as a number', [40, 1], 'wire type 0 in field 5'],
    ['packed numbers', [74, 2, 1, 2], 'wire type 2 in field 9'],
    ['bytes that reach beyond the end', [42, 2, 1], 'a wrong length in field 5'],
    ['bytes whose length is not the shortest', [42, 0x81, 0, 1], 'a wrong length in field 5'],
    ['a newer field that reaches beyond the end', [82, 2, 1], 'a wrong length in field 10'],
    ['too few bytes for 64 bits', [81, 1], 'too few bytes in field 10'],
    ['too few bytes for 32 bits', [85, 1], 'too few bytes in field 10'],
    ['a group', [83, 84], 'wire type 3 in field 10'],
    ['the end of a group', [84], 'wire type 4 in field 10'],
    ['wire type 6', [86], 'wire type 6 in field 10'],
    ['wire type 7', [87], 'wire type 7 in field 10'],
    ['text that is not UTF-8', [50, 1, 0xff], 'text that is not UTF-8 in field 6'],
    ['a surrogate in UTF-8', [50, 3, 0xed, 0xa0, 0x80], 'text that is not UTF-8'],
    ['a character in more bytes than it needs', [50, 2, 0xc1, 0x81], 'text that is not UTF-8'],
    ['a zero inside', [58, 2, 8, 0], 'a zero, which is left out, in field 1 in field 7'],
    ['a group inside', [58, 2, 27, 28], 'wire type 3 in field 3 in field 7']
  ])('is not %s', (_, bytes, reason) => expect(verdict(...bytes)).toContain(reason))
})

const codecs: [string, PayloadCodec<never>][] = [...shapes.keys()].map((codec, index) => [
  `message ${index}`,
  codec as PayloadCodec<never>
])

describe('strict decoding', () => {
  it.each(codecs)('of %s takes well-formed fields behind the highest known one, and nothing else', (_, codec) => {
    const highest = Math.max(0, ...Object.keys(shapes.get(codec) ?? {}).map(Number))
    const written = codec.encode(codec.decode(new Uint8Array()))
    fc.assert(
      fc.property(anyFields(highest + 1), (more) => {
        expect(decodeStrictly(codec, concat([written, more]), 'it')).toEqual(codec.decode(written))
      })
    )
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Math.max(1, highest) }), anyFields(highest + 1), (number, more) => {
        const again = Uint8Array.of(
          ((number << 3) & 0x7f) | (number > 15 ? 0x80 : 0),
          ...(number > 15 ? [number >> 4] : []),
          0
        )
        expect(() =>
          decodeStrictly(codec, concat([written, Uint8Array.of(0xf8, 0xff, 0xff, 0xff, 0x0f, 1), again]), 'it')
        ).toThrow('not encoded')
        expect(more.length).toBeGreaterThanOrEqual(0)
      })
    )
  })

  it('takes what the encoder writes, and of other bytes only those that it writes again', () => {
    fc.assert(
      fc.property(fc.constantFrom(Genesis, NodeRecord, Invite), fc.uint8Array({ maxLength: 60 }), (codec, bytes) => {
        let message: unknown
        try {
          message = decodeStrictly<unknown>(codec, bytes, 'it')
        } catch {
          return
        }
        const known = (codec as PayloadCodec<unknown>).encode(message as object)
        expect(bytes.subarray(0, known.length)).toEqual(known)
      }),
      { numRuns: 2000 }
    )
  })

  it('of a record with one byte changed never reads what would be written otherwise', () => {
    const record = NodeRecord.encode({
      version: 1,
      networkId: new Uint8Array(32).fill(1),
      publicKey: new Uint8Array(32).fill(2),
      seq: 300,
      roles: [3],
      tags: ['web'],
      left: true
    })
    fc.assert(
      fc.property(fc.nat(record.length - 1), bytesOf(1), (at, [byte = 0]) => {
        const changed = record.slice()
        changed[at] = byte
        let message: NodeRecord
        try {
          message = decodeStrictly(NodeRecord, changed, 'it')
        } catch {
          return
        }
        const known = NodeRecord.encode(message)
        expect(changed.subarray(0, known.length)).toEqual(known)
      }),
      { numRuns: 1000 }
    )
  })

  it('knows the fields of what it decodes', () => {
    expect(() => decodeStrictly({ encode: () => new Uint8Array(), decode: () => 1 }, new Uint8Array(), 'it')).toThrow(
      TypeError
    )
  })
})
