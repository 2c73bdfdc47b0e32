import { describe, expect, it } from 'vitest'
import { UnfitNameError } from '../../../src/content/errors.ts'
import { partOf } from '../../../src/content/file-tree.ts'
import { folderTree } from '../../../src/content/folder-tree.ts'
import { checkNames, unfitness } from '../../../src/content/names.ts'
import { rawBlock } from '../../../src/content/node.ts'

describe('names of files', () => {
  it.each(['a', 'ä.txt', '文件', '.hidden', '...', 'a b', 'console', 'com', 'con x', 'nul0', 'x'.repeat(255), '👩‍💻'])(
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
    'con .txt',
    'NUL ',
    'aux:x',
    'é'.repeat(128),
    '.trustnet-part-1'
  ])('refuses %j', async (name) => {
    expect(unfitness(name)).toBeTypeOf('string')
    await expect(checkNames([name], '/f')).rejects.toThrow(UnfitNameError)
  })

  it.each([
    ['a', 'A'],
    ['\u00e9', 'e\u0301'],
    ['straße', 'STRASSE'],
    ['same', 'same']
  ])('names two that some systems take for one: %s and %s', async (one, other) => {
    await expect(checkNames([one, 'x', other], '/f')).rejects.toThrow(
      `"${other}" in /f cannot be shared beside "${one}"`
    )
  })

  it('lets others have a turn again and again while many are looked at, and while a large folder is made', async () => {
    const names = Array.from({ length: 8_192 }, (_, at) => `name ${at}`)
    const parts = names.map((name) => partOf(rawBlock(Buffer.from('x')), name))
    for (const work of [() => checkNames(names, '/f'), () => folderTree(parts, true, async () => {})]) {
      let turns = 0
      let next = setImmediate(function count() {
        turns++
        next = setImmediate(count)
      })
      await work()
      clearImmediate(next)
      expect(turns).toBeGreaterThanOrEqual(8)
    }
  })
})
