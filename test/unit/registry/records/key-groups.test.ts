import { expect, test } from 'vitest'
import { KeyGroups } from '../../../../src/registry/records/key-groups.ts'

const key = (first: number): Uint8Array => new Uint8Array(32).fill(first)

test('a key is in the group it was put in last, in order', () => {
  const groups = new KeyGroups<'a' | 'b'>()
  for (const first of [3, 1, 2]) groups.put(key(first), 'a')
  groups.put(key(2), 'b')
  groups.put(key(2), 'b')
  expect(groups.after('a', undefined, 10)).toEqual([key(1), key(3)])
  expect(groups.after('a', key(1), 10)).toEqual([key(3)])
  expect(groups.after('b', undefined, 10)).toEqual([key(2)])
  groups.put(key(2), undefined)
  groups.put(key(9), undefined)
  expect(groups.after('b', undefined, 10)).toEqual([])
})
