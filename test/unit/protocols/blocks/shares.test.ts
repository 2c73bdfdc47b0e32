import { describe, expect, test } from 'vitest'
import { sha256 } from '../../../../src/identity/hash.ts'
import { Shares } from '../../../../src/protocols/blocks/shares.ts'

const digests = Array.from({ length: 3_000 }, (_, number) => sha256(Buffer.from(`block ${number}`)))
const ids = ['a', 'b', 'c', 'd'].map((name) => `12D3KooW${name}`)
const firsts = (shares: Shares): (string | undefined)[] => digests.map((digest) => shares.firstOf(digest))

describe('shares', () => {
  test('are about as large for each, whatever the order in which they are named, and however often', () => {
    const shares = firsts(new Shares(ids))
    expect(firsts(new Shares([...ids.toReversed(), ...ids]))).toEqual(shares)
    for (const id of ids) {
      const part = shares.filter((first) => first === id).length / digests.length
      expect(part).toBeGreaterThan(0.2)
      expect(part).toBeLessThan(0.3)
    }
  })

  test('of one that leaves go to all others, and nothing else changes', () => {
    const before = firsts(new Shares(ids))
    const [left = '', ...others] = ids
    const after = firsts(new Shares(others))
    const moved = new Set(after.filter((_, at) => before[at] === left))
    expect(moved).toEqual(new Set(others))
    for (const [at, first] of before.entries()) if (first !== left) expect(after[at]).toBe(first)
  })

  test('are all of one that is alone, and nobody has any where nobody is', () => {
    expect(new Set(firsts(new Shares(['alone'])))).toEqual(new Set(['alone']))
    expect(new Set(firsts(new Shares([])))).toEqual(new Set([undefined]))
  })
})
