import { appendFileSync, copyFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { StoreFiles } from '../../../../src/registry/store/store-files.ts'
import { StoreGoneError } from '../../../../src/runtime/errors.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const openFiles = () => {
  const folder = tempFolder()
  onTestFinished(() => folder[Symbol.dispose]())
  const path = join(folder.path, 'registry.db')
  writeFileSync(path, 'database')
  const files = new StoreFiles(path)
  writeFileSync(`${path}-wal`, 'log')
  files.committed()
  return { path, files, other: join(folder.path, 'other') }
}

describe('the files of an open store', () => {
  it.each([
    ['removed or moved away', '/nowhere/registry.db'],
    ['replaced by another file', 'other']
  ])('behind a link that was changed were %s, as far as the next process sees', (what, target) => {
    const { path, other } = openFiles()
    writeFileSync(other, 'another store')
    const link = `${path}-link`
    symlinkSync(path, link)
    const files = new StoreFiles(path, link)
    files.check()
    rmSync(link)
    symlinkSync(target, link)
    expect(() => files.check()).toThrow(`${link} was ${what}`)
  })

  it('are its own for as long as only its own commits change them', () => {
    const { path, files } = openFiles()
    files.check()
    appendFileSync(path, 'checkpointed')
    files.committed()
    files.check()
    appendFileSync(`${path}-wal`, 'more')
    files.check()
  })

  it.each<[string, (path: string, other: string) => void]>([
    ['removed or moved away', (path) => rmSync(path)],
    ['removed or moved away', (path, other) => renameSync(path, other)],
    [
      'replaced by another file',
      (path, other) => {
        copyFileSync(path, other)
        renameSync(other, path)
      }
    ],
    ['changed by another program', (path) => appendFileSync(path, 'by somebody else')],
    ['-wal was removed or moved away', (path) => rmSync(`${path}-wal`)],
    [
      '-wal was replaced by another file',
      (path, other) => {
        copyFileSync(`${path}-wal`, other)
        renameSync(other, `${path}-wal`)
      }
    ]
  ])('were %s: nothing more is stored, also when they are put back', (what, change) => {
    const { path, files, other } = openFiles()
    change(path, other)
    expect(() => files.check()).toThrow(what)
    writeFileSync(path, 'database')
    expect(() => files.check()).toThrow(StoreGoneError)
    expect(() => files.committed()).toThrow(what)
  })
})
