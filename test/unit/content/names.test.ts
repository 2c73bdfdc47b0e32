import { describe, expect, it } from 'vitest'
import { UnfitNameError } from '../../../src/content/errors.ts'
import { checkNames, unfitness } from '../../../src/content/names.ts'

describe('names of files', () => {
  it.each(['a', 'ä.txt', '文件', '.hidden', '...', 'a b', 'console', 'com', 'nul0', 'x'.repeat(255), '👩‍💻'])(
    'takes %s',
    (name) => {
      expect(unfitness(name)).toBeUndefined()
    }
  )

  it.each([
    '',
    '.',
    '..',
    '/etc',
    'a/b',
    'a\\b',
    'a\0b',
    'a\nb',
    '\u007f',
    '\ud800',
    'a\ufffd',
    'CON',
    'nul.txt',
    'com1',
    'LPT9.tar.gz',
    'é'.repeat(128),
    '.trustnet-part-1'
  ])('refuses %j', (name) => {
    expect(unfitness(name)).toBeTypeOf('string')
    expect(() => checkNames([name], '/f')).toThrow(UnfitNameError)
  })

  it.each([
    ['a', 'A'],
    ['\u00e9', 'e\u0301'],
    ['straße', 'STRASSE'],
    ['same', 'same']
  ])('names two that some systems take for one: %s and %s', (one, other) => {
    expect(() => checkNames([one, 'x', other], '/f')).toThrow(`"${other}" in /f cannot be shared beside "${one}"`)
  })
})
