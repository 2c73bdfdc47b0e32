import { describe, expect, it } from 'vitest'
import { lookAlikes } from '../../../../src/registry/admission/look-alike.ts'

const named = (...names: string[]) => names.map((name) => ({ name }))

describe('names that look alike', () => {
  it.each([
    ['rnail', 'mail'],
    ['modern', 'modem'],
    ['vveb', 'web'],
    ['cloud', 'doud'],
    ['web0', 'webo'],
    ['db-1', 'db-l'],
    ['vail', 'vall'],
    ['node-7', 'node7'],
    ['no-de7', 'node-7'],
    ['a--b', 'a-b'],
    ['r-nail', 'mail']
  ])('are %s and %s', (one, other) => {
    expect(lookAlikes(one, named(one, 'other', other))).toEqual([other])
    expect(lookAlikes(other, named(one, 'other', other))).toEqual([one])
  })

  it.each([
    ['web-1', 'web-2'],
    ['rack-1-11', 'rack-11-1'],
    ['alpha', 'beta'],
    ['node-1', 'node-11'],
    ['a', 'b']
  ])('are not %s and %s', (one, other) => expect(lookAlikes(one, named(other))).toEqual([]))
})
