import { describe, expect, it } from 'vitest'
import { LookAlikes } from '../../../../src/registry/admission/look-alike.ts'

const named = (...names: string[]) => new LookAlikes(names.map((name) => [`owner of ${name}`, name]))

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
    expect(named(one, 'other', other).of(one)).toEqual([other])
    expect(named(one, 'other', other).of(other)).toEqual([one])
  })

  it.each([
    ['web-1', 'web-2'],
    ['rack-1-11', 'rack-11-1'],
    ['alpha', 'beta'],
    ['node-1', 'node-11'],
    ['a', 'b']
  ])('are not %s and %s', (one, other) => expect(named(other).of(one)).toEqual([]))

  it('are those of today', () => {
    const names = named('web-1')
    names.put('a', 'web-l')
    names.put('b', 'web-l')
    expect(names.of('web-1')).toEqual(['web-l'])
    names.put('a', 'db')
    names.put('b', undefined)
    expect(names.of('web-1')).toEqual([])
    expect(names.of('web-l')).toEqual(['web-1'])
    expect(names.of('d-b')).toEqual(['db'])
  })
})
