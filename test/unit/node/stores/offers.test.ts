import { expect, test } from 'vitest'
import { Offers } from '../../../../src/node/stores/offers.ts'
import type { RecordStore } from '../../../../src/registry/objects/record-additions.ts'

const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)
const store = (name: string, fill: number): RecordStore => ({ name, digest: key(fill) })
const shown = (offers: Offers) =>
  [...offers.all()].map(({ digest, holders }) => [
    [...new Set([...holders.values()].flatMap(({ names }) => names))].join(),
    digest[0],
    [...holders.values()].map(({ publicKey: [first] }) => first)
  ])

test('a version is offered for as long as somebody names it, by all who do', () => {
  const offers = new Offers()
  expect(offers.note(key(1), [store('maps', 8), store('music', 9)])).toBe(true)
  expect(offers.note(key(2), [store('music', 9)])).toBe(true)
  expect(offers.note(key(2), [store('music', 9)])).toBe(false)
  expect(shown(offers)).toEqual([
    ['maps', 8, [1]],
    ['music', 9, [1, 2]]
  ])
  expect(offers.note(key(1), [store('music', 10)])).toBe(true)
  expect(shown(offers)).toEqual([
    ['music', 9, [2]],
    ['music', 10, [1]]
  ])
  expect(offers.holders(key(9))).toEqual([key(2)])
  expect(offers.holders(key(8))).toEqual([])
  expect(offers.note(key(2))).toBe(true)
  expect(offers.note(key(1), [])).toBe(true)
  expect(offers.note(key(3))).toBe(false)
  expect(shown(offers)).toEqual([])
})
