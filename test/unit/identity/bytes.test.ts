import { describe, expect, it } from 'vitest'
import { at, byteAt } from '../../../src/identity/bytes.ts'
import { compareBytes } from '../../../src/identity/hash.ts'
import { reasonOf } from '../../../src/runtime/error-message.ts'

describe('an element by its index', () => {
  it('is given, also when it is zero or empty', () => {
    expect([at(['', 'b'], 0), at(['', 'b'], 1)]).toEqual(['', 'b'])
    expect([byteAt(Uint8Array.of(0, 7), 0), byteAt(Uint8Array.of(0, 7), 1)]).toEqual([0, 7])
  })

  it.each([-1, 2, 0.5])('is refused at %d of 2', (index) => {
    expect(() => at(['a', 'b'], index)).toThrow(RangeError)
    expect(() => byteAt(Uint8Array.of(1, 2), index)).toThrow(RangeError)
  })
})

describe('byte strings', () => {
  it.each([
    [[], [], 0],
    [[1, 2], [1, 2], 0],
    [[1], [1, 0], -1],
    [[1, 0], [1], 1],
    [[1, 2, 9], [1, 3], -1],
    [[255], [0, 0], 1]
  ])('are ordered as SQLite orders blobs: %j and %j', (a, b, order) => {
    expect(compareBytes(Uint8Array.from(a), Uint8Array.from(b))).toBe(order)
    expect(Math.sign(Buffer.compare(Uint8Array.from(a), Uint8Array.from(b)))).toBe(order)
  })
})

describe('the reason of a failure', () => {
  it('is its message, or what was thrown as text', () => {
    expect([reasonOf(new Error('disk full')), reasonOf('late'), reasonOf(undefined)]).toEqual([
      'disk full',
      'late',
      'undefined'
    ])
  })
})
