import { existsSync, globSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder } from '../../../src/runtime/make-folder.ts'
import { tempFolder } from '../../helpers/temp.ts'

describe('a folder', () => {
  it('is made with those above it, and once more without complaint', () => {
    using folder = tempFolder()
    const path = join(folder.path, 'a/b/c')
    for (let time = 0; time < 2; time++) makeFolder(path, 0o700)
    expect(['a', 'a/b', 'a/b/c'].map((each) => statSync(join(folder.path, each)).mode & 0o777)).toEqual([
      0o700, 0o700, 0o700
    ])
  })

  it('may lie behind a link', () => {
    using folder = tempFolder()
    symlinkSync(folder.path, join(folder.path, 'link'))
    makeFolder(join(folder.path, 'link/a'), 0o700)
    expect(existsSync(join(folder.path, 'a'))).toBe(true)
  })

  it('is refused in the place of a file or of a link that leads nowhere, and below them', () => {
    using folder = tempFolder()
    writeFileSync(join(folder.path, 'file'), '')
    symlinkSync('nowhere', join(folder.path, 'link'))
    for (const path of ['file', 'file/a', 'link', 'link/a'])
      expect(() => makeFolder(join(folder.path, path), 0o700), path).toThrow(/EEXIST|ENOTDIR/)
    expect(existsSync(join(folder.path, 'nowhere'))).toBe(false)
  })

  it('is refused below /proc, which answers ENOENT', () => {
    for (const path of ['/proc/none', '/proc/none/a/b']) expect(() => makeFolder(path, 0o700)).toThrow(/ENOENT/)
  })

  it('is made by nothing else in the program', () => {
    const others = globSync('{src,bin}/**/*.ts').filter((file) =>
      /\bmkdir(?:Sync)?\([^)]*recursive/s.test(readFileSync(file, 'utf8'))
    )
    expect(others).toEqual([])
  })
})
