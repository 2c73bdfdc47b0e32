import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ran, startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'

const root = mkdtempSync(join(tmpdir(), 'tn-named-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** What may stand where a small file is due. */
const things: ReadonlyMap<string, string> = new Map([
  ['a pipe that nobody writes to', join(root, 'pipe')],
  ['a folder', join(root, 'folder')],
  ['a device without an end', '/dev/zero'],
  ['a file of 10 GiB', join(root, 'huge')]
])

beforeAll(() => {
  execFileSync('mkfifo', [join(root, 'pipe')])
  mkdirSync(join(root, 'folder'))
  writeFileSync(join(root, 'huge'), 'role: integrated\n', { mode: 0o600 })
  // It has holes alone: no block of the disk is used.
  truncateSync(join(root, 'huge'), 10 * 1024 ** 3)
})

interface Way {
  argv: readonly string[]
  env?: Record<string, string>
  /** What the machine has to look like, in a folder of its own. */
  prepare?: (folder: string, file: string) => void
}

const start = ['node', 'start', '--name', 'a', '--domain', 'example.test']
const linked = (name: string) => (folder: string, file: string) => {
  mkdirSync(folder, { recursive: true })
  symlinkSync(file, join(folder, name))
}
const kit = { TRUSTNET_RECOVERY_PASSPHRASE: 'a-b-c' }

/** Every way to name a file that is read. FILE is the thing, HOME the folder of the run. */
const ways: ReadonlyMap<string, Way> = new Map<string, Way>([
  ['config check', { argv: ['config', 'check', 'FILE'] }],
  ['config migrate', { argv: ['config', 'migrate', 'FILE'] }],
  ['--config', { argv: ['node', 'start', '--config', 'FILE'] }],
  ['TRUSTNET_CONFIG', { argv: ['identity'], env: { TRUSTNET_CONFIG: 'FILE' } }],
  ['the only file of the folder', { argv: ['identity'], prepare: linked('a.yaml') }],
  ['paths.key', { argv: [...start, '--trust-on-first-use', '--set', 'paths.key=FILE'] }],
  ['bootstrap.inviteFile', { argv: [...start, '--set', 'bootstrap.inviteFile=FILE'] }],
  ['join', { argv: ['join', 'FILE', '--no-start'] }],
  ['TRUSTNET_INVITE_FILE', { argv: ['join', '--no-start'], env: { TRUSTNET_INVITE_FILE: 'FILE' } }],
  [
    'the store',
    { argv: [...start, '--set', 'paths.data=HOME', '--trust-on-first-use'], prepare: linked('registry.db') }
  ],
  ['registry verify', { argv: ['registry', 'verify', 'FILE'] }],
  ['registry verify --proof', { argv: ['registry', 'verify', '--proof', 'FILE'] }],
  ['registry restore', { argv: ['registry', 'restore', 'FILE'] }],
  [
    'the manifest of a backup',
    {
      argv: ['registry', 'restore', 'HOME/copy.db'],
      prepare: (folder, file) => {
        linked('copy.db.json')(folder, file)
        writeFileSync(join(folder, 'copy.db'), 'SQLite format 3\0')
      }
    }
  ],
  ['registry recover --kit', { argv: ['registry', 'recover', '--kit', 'FILE', '--domain', 'example.test'], env: kit }],
  ['revoke --kit', { argv: ['revoke', 'hal', '--kit', 'FILE'], env: kit }],
  [
    'the passphrase',
    {
      argv: ['registry', 'recover', '--kit', '/etc/hostname', '--domain', 'example.test'],
      env: { TRUSTNET_RECOVERY_PASSPHRASE_FILE: 'FILE' }
    }
  ],
  [
    'the token of a provider',
    {
      argv: ['dns', 'set', '--provider', 'cloudflare', '--domain', 'example.test', '--add', '2001:db8::1'],
      env: { CLOUDFLARE_API_TOKEN_FILE: 'FILE' }
    }
  ],
  [
    'the sums of a release',
    { argv: ['upgrade', 'HOME/trustnet-9.9.9-linux-x64.tar.gz'], prepare: linked('SHA256SUMS') }
  ]
])

let runs = 0
const run = async ({ argv, env = {}, prepare }: Way, file: string): Promise<Ran> => {
  const folder = join(root, `run-${++runs}`)
  prepare?.(folder, file)
  const filled = (text: string) => text.replaceAll('FILE', file).replaceAll('HOME', folder)
  const given = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, filled(value)]))
  const program = startProgram(argv.map(filled), { TRUSTNET_HOME: folder, ...given })
  const late = setTimeout(() => program.process.kill('SIGKILL'), ceilingMs / 2)
  const ended = await program.ended
  clearTimeout(late)
  return ended
}

describe.each([...things])('%s in the place of a file', (_, file) => {
  test.concurrent.each([...ways])('as %s ends the command at once, which says what it is', async (name, way) => {
    const { code, out, err } = await run(way, file)
    expect({ name, code, out, err }).toMatchObject({ code: expect.toBeOneOf([1, 2, 3, 4, 6]) })
    expect({ name, err }).toMatchObject({ err: expect.not.stringMatching(/\bat .*\.js:\d+|\bE[A-Z]{4,}\b|undefined/) })
    expect({ name, err }).toMatchObject({
      err: expect.stringMatching(/a pipe|a folder|a device|longer than|larger than|is no |holds no |others can read/)
    })
  })
})

test('a file that can be read stays one: nothing is held back of a small file', async () => {
  const fd = openSync(join(root, 'fine.yaml'), 'w')
  writeFileSync(fd, 'domain: example.test\n')
  const { code, out } = await run({ argv: ['config', 'show', '--config', 'FILE', '--json'] }, join(root, 'fine.yaml'))
  expect(code).toBe(0)
  expect(out).toContain('example.test')
})
