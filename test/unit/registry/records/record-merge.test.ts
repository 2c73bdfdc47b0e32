import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareRecords } from '../../../../src/registry/objects/record.ts'
import { mergeRecords } from '../../../../src/registry/records/records.ts'
import { anyHash } from '../../../helpers/signed-objects.ts'

describe('mergeRecords', () => {
  const anyOrder = fc.record({ seq: fc.integer({ min: 1, max: 4 }), hash: anyHash })

  it('is commutative, associative and idempotent', () => {
    fc.assert(
      fc.property(anyOrder, anyOrder, anyOrder, (a, b, c) => {
        expect(compareRecords(mergeRecords(a, b), mergeRecords(b, a))).toBe(0)
        expect(mergeRecords(mergeRecords(a, b), c)).toEqual(mergeRecords(a, mergeRecords(b, c)))
        expect(mergeRecords(a, a)).toBe(a)
      })
    )
  })

  it('ends at the same record in whatever order they come', () => {
    const shuffled = fc
      .array(anyOrder, { minLength: 1, maxLength: 8 })
      .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })))
    fc.assert(
      fc.property(shuffled, ([all, other]) => {
        expect(all.reduce((a, b) => mergeRecords(a, b))).toEqual(other.reduce((a, b) => mergeRecords(a, b)))
      })
    )
  })
})
