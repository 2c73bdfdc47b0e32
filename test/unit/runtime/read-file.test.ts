import { chmodSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { readSecret } from '../../../src/node/config/secrets.ts'
import { readToken } from '../../../src/node/http/token.ts'
import { readPrivateText, readText } from '../../../src/runtime/files/read-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'tn-read-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = join(folder, 'file')

it('text is read up to the limit, and one byte more is refused', () => {
  writeFileSync(file, 'x'.repeat(100_000))
  expect(readText(file, 100_000)).toHaveLength(100_000)
  expect(() => readText(file, 99_999)).toThrow(`${file} cannot be read: it is longer than 99999 bytes`)
  writeFileSync(file, '')
  expect(readText(file, 10)).toBe('')
})

it('files of /proc, which say that they are empty, are read too', () => {
  expect(readText('/proc/self/status', 64 * 1024)).toContain('Name:')
})

it('what is no regular file is named as what it is', () => {
  expect(() => readText(folder, 10)).toThrow(`${folder} cannot be read: it is a folder`)
  expect(() => readText('/dev/zero', 10)).toThrow('it is a device')
  expect(() => readText(join(folder, 'none'), 10)).toThrow('ENOENT')
})

it('a secret is read from a file of its owner alone, and nobody is told to change the mode of what is no file', () => {
  const rights = { others: 0o077, mode: '600' }
  writeFileSync(file, 'secret')
  chmodSync(file, 0o640)
  expect(() => readPrivateText(file, 10, rights)).toThrow(`others can read it: chmod 600 ${file}`)
  chmodSync(file, 0o600)
  expect(readPrivateText(file, 10, rights)).toBe('secret')
  for (const path of [folder, '/dev/zero', '/dev/null']) {
    expect(() => readPrivateText(path, 10, rights)).toThrow('a file is due')
    const env = { TRUSTNET_RECOVERY_PASSPHRASE_FILE: path }
    expect(() => readSecret('recoveryPassphrase', { env })).toThrow('a file is due')
    expect(() => readToken(path)).toThrow('a file is due')
  }
})

it.each(['utf8', 'utf16le'] as const)('a token behind a byte order mark (%s) is refused for that', (encoding) => {
  writeFileSync(file, Buffer.from('\uFEFF0123456789abcdefghij\n', encoding))
  chmodSync(file, 0o600)
  expect(() => readToken(file)).toThrow('begins with a byte order mark')
})

/** Files that no person names: the program's own, what the kernel answers, and state that only root can write. */
const ownReads = [
  'cli/dev/child.ts',
  'cli/dev/source-of.ts',
  'address/interfaces.ts',
  'runtime/version.ts',
  'runtime/files/owner.ts',
  'node/http/page-part.ts',
  'node/pinhole/default-router.ts',
  'runtime/machine/port-holder.ts',
  'node/host/open-files.ts',
  'install/machine/read-facts.ts',
  'install/machine/running-program.ts',
  'install/apply/actions/processes.ts',
  'install/apply/actions/system.ts',
  'install/apply/journal.ts',
  'install/apply/lock.ts',
  'install/upgrade/state.ts',
  'node/resolve/servers.ts',
  'node/stores/store-files.ts'
]

it('a file that a person names is read by readText alone, which neither waits for a pipe nor reads without an end', () => {
  const root = join(import.meta.dirname, '../../../src')
  const reads = globSync('**/*.ts', { cwd: root }).filter((each) =>
    /\breadFile(Sync)?\(/.test(readFileSync(join(root, each), 'utf8'))
  )
  expect(reads.filter((each) => !ownReads.includes(each))).toEqual([])
})
