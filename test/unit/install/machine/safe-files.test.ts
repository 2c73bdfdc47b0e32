import { execFileSync } from 'node:child_process'
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openFile, statAt, textAt } from '../../../../src/install/machine/open-safely.ts'
import {
  folderAt,
  ownFile,
  placeLink,
  removeAt,
  removeEmptyAt,
  writeAt
} from '../../../../src/install/machine/safe-files.ts'
import { ownTree, removeTree } from '../../../../src/install/machine/safe-trees.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

describe('files that others may have replaced', () => {
  it('reads a file, and nothing that is a link, a pipe, a folder or too large', () => {
    using folder = tempFolder()
    const at = (name: string): string => join(folder.path, name)
    writeFileSync(at('file'), 'text')
    expect([textAt(at('file')), textAt(at('none')), textAt(at('none/none'))]).toEqual(['text', undefined, undefined])
    symlinkSync(at('file'), at('link'))
    execFileSync('mkfifo', [at('pipe')])
    mkdirSync(at('folder'))
    writeFileSync(at('huge'), '')
    truncateSync(at('huge'), 2 ** 40)
    expect(() => textAt(at('link'))).toThrow(/is a link or a socket: it is not read/)
    expect(() => textAt(at('pipe'))).toThrow(/is no file/)
    expect(() => textAt(at('folder'))).toThrow(/is no file/)
    expect(() => textAt(at('huge'), 100)).toThrow(/larger than 100 bytes/)
  })

  it('replaces a link instead of what it leads to, and its unfinished file', () => {
    using folder = tempFolder()
    const at = (name: string): string => join(folder.path, name)
    writeFileSync(at('canary'), 'canary')
    for (const name of ['file', '.file.trustnet.tmp']) symlinkSync(at('canary'), at(name))
    writeAt(at('file'), 'text', 0o640, own)
    expect([readFileSync(at('file'), 'utf8'), statSync(at('file')).mode & 0o777]).toEqual(['text', 0o640])
    placeLink(at('file'), 'elsewhere')
    expect(readlinkSync(at('file'))).toBe('elsewhere')
    removeAt(at('file'))
    expect([statAt(at('file')), readFileSync(at('canary'), 'utf8')]).toEqual([undefined, 'canary'])
  })

  it('leaves a folder where a file was to be removed, and goes on', () => {
    using folder = tempFolder()
    const at = (name: string): string => join(folder.path, name)
    for (const name of ['file', '.file.trustnet.tmp', '.file.7.1.tmp']) mkdirSync(at(name))
    writeFileSync(at('.file.7.2.tmp'), 'left')
    removeAt(at('file'))
    expect(readdirSync(folder.path).toSorted()).toEqual(['.file.7.1.tmp', '.file.trustnet.tmp', 'file'])
  })

  it('gives no file with a second name to anybody', () => {
    using folder = tempFolder()
    const at = (name: string): string => join(folder.path, name)
    mkdirSync(at('tree'))
    writeFileSync(at('canary'), 'canary')
    linkSync(at('canary'), at('tree/file'))
    expect(() => ownFile(at('tree/file'), 0o666, own)).toThrow(/second name of a file/)
    expect(() => ownTree(at('tree'), own)).toThrow(/tree\/file is a second name of a file/)
    expect(statSync(at('canary')).mode & 0o777).not.toBe(0o666)
  })

  it('removes a tree, and nothing that a link in it leads to', () => {
    using folder = tempFolder()
    const at = (name: string): string => join(folder.path, name)
    mkdirSync(at('kept'))
    writeFileSync(at('kept/file'), 'kept')
    mkdirSync(at('tree/below'), { recursive: true })
    symlinkSync(at('kept'), at('tree/below/link'))
    execFileSync('mkfifo', [at('tree/pipe')])
    removeTree(at('tree'))
    expect([statAt(at('tree')), readFileSync(at('kept/file'), 'utf8')]).toEqual([undefined, 'kept'])
  })

  it('makes folders, and leaves what is not empty', () => {
    using folder = tempFolder()
    const path = join(folder.path, 'a/b/c')
    folderAt(path, 0o750, own)
    expect(lstatSync(path).mode & 0o777).toBe(0o750)
    expect([removeEmptyAt(join(folder.path, 'a')), removeEmptyAt(path), removeEmptyAt(path)]).toEqual([
      false,
      true,
      true
    ])
  })

  it('goes no deeper than a node ever does', () => {
    using folder = tempFolder()
    const top = join(folder.path, 'deep')
    mkdirSync(join(top, ...Array.from({ length: 80 }, () => 'x')), { recursive: true })
    expect(() => removeTree(top)).toThrow(/more than 64 folders deep/)
  })

  it.skipIf(own.uid !== 0)('follows a link of root in a folder of root, and no other', () => {
    using folder = tempFolder()
    const at = (name: string): string => join(folder.path, name)
    mkdirSync(at('real'))
    writeFileSync(at('real/file'), 'text')
    symlinkSync('real', at('link'))
    expect(textAt(at('link/file'))).toBe('text')
    execFileSync('chown', ['-h', '65534', at('link')])
    expect(() => textAt(at('link/file'))).toThrow(/no folder, or a link that somebody else than root made/)
    symlinkSync(at('circle'), at('circle'))
    expect(() => openFile(at('circle/file'))).toThrow(/circle of links/)
  })
})
