import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { programPath } from '../../helpers/built-program.ts'
import { hungMs } from '../../helpers/ceiling.ts'
import { exampleInvite } from '../../helpers/registry/example-invite.ts'

const root = mkdtempSync(join(tmpdir(), 'tn-conditions-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const path = (name: string): string => join(root, name)
writeFileSync(path('file'), 'a file\n')
mkdirSync(path('locked'), { mode: 0o700 })
mkdirSync(path('mount'))
mkdirSync(path('odd'))
mkdirSync(path('odd/root.yaml'))
symlinkSync('/nowhere/at/all', path('dangling'))
symlinkSync('circle', path('circle'))

const nobody = 'setpriv --reuid 65534 --regid 65534 --clear-groups'
const stranger = 'setpriv --reuid 43210 --regid 43210 --clear-groups'
const mounted = (options: string): string => `mount -t tmpfs -o ${options} tmpfs ${path('mount')} &&`
const full = `${mounted('size=64k')} { mkdir ${path('mount/h')}; head -c 1M /dev/zero >${path('mount/f')}; } 2>/dev/null;`

/** What is wrong with the machine: a shell line before the program. */
const conditions: ReadonlyMap<string, string> = new Map([
  ['no HOME', `${nobody} env -u HOME`],
  ['neither HOME nor an entry in passwd', `${stranger} env -u HOME`],
  ['an empty HOME', `${stranger} env HOME=`],
  ['a HOME that is no absolute path', `${stranger} env HOME=here`],
  ['a file where a folder is due', `env TRUSTNET_HOME=${path('file/x')}`],
  ['a folder where a file is due', `env TRUSTNET_HOME=${path('odd')}`],
  ['a dangling link', `env TRUSTNET_HOME=${path('dangling')}`],
  ['links in a circle', `env TRUSTNET_HOME=${path('circle')}`],
  ['no permission', `${nobody} env TRUSTNET_HOME=${path('locked')}`],
  ['a read-only file system', `${mounted('ro')} env TRUSTNET_HOME=${path('mount/h')}`],
  ['a full disk', `${full} env TRUSTNET_HOME=${path('mount/h')}`],
  ['a path that is too long', `env TRUSTNET_HOME=${path('x'.repeat(300))}`],
  ['a HOME in other letters', `env TRUSTNET_HOME='${path('ünï\u202ecode 文')}'`]
])

const invite = exampleInvite()
const long = 'x'.repeat(5000)

/** Commands that need a folder of their own. */
const onDisk: readonly (readonly string[])[] = [
  ['init', '--domain', 'example.test', '--name', 'root', '--new-network'],
  ['join', invite, '--no-start', '--name', 'hal'],
  ['registry', 'start', '--name', 'other'],
  ['config', 'show', '--name', 'root'],
  ['identity'],
  ['status'],
  ['registry', 'verify'],
  ['registry', 'backup', '--to', path('copy.db')]
]

/** Files that are not there or are something else, and values that are none. */
const wrong: readonly (readonly string[])[] = [
  ['join', '/nowhere/invite'],
  ['config', 'check', '/nowhere/x.yaml'],
  ['config', 'check', '/tmp'],
  ['config', 'migrate', '/nowhere/x.yaml'],
  ['registry', 'verify', '/etc/passwd'],
  ['registry', 'verify', '/nowhere/x.db'],
  ['registry', 'verify', '/tmp'],
  ['registry', 'verify', '--proof', '/etc/passwd'],
  ['registry', 'restore', '/nowhere/x.db'],
  ['registry', 'restore', '/etc/passwd'],
  ['registry', 'backup', '--to', '/nowhere/deep/x.db'],
  ['registry', 'recover', '--kit', '/nowhere/kit', '--domain', 'example.test'],
  ['registry', 'recover', '--kit', '/etc/passwd', '--domain', 'example.test'],
  ['dns', 'set', '--domain', 'example.test', '--add', '2001:db8::1', '--ttl', '99999999999'],
  ['dns', 'set', '--domain', 'example.test', '--add', '2001:db8::1', '--remove', '2001:DB8:0::1'],
  ['dns', 'set', '--domain', 'example.test', '--add', '999.1.1.1'],
  ['dns', 'show', '--domain', 'bad_name', '--address', '2001:db8::1'],
  ['init', '--domain', 'no..domain'],
  ['config', 'show', '--config', long],
  ['config', 'show', '--config', '/nowhere/x.yaml'],
  ['status', '--node', '\u202eünï'],
  ['node', 'start', '--set', ''],
  ['node', 'start', '--domain', long],
  ['completion', 'tcsh'],
  ['peers', '--limit', ''],
  ['wait', '--timeout', 'soon']
]

const isRoot = process.getuid?.() === 0

/** What no message has: an errno, a stack, the name of a library, an error class, a character that a terminal obeys. */
const unfit =
  /\bE[A-Z]{4,}\b|^\s+at |node_modules|node:internal|libp2p|commander|inquirer|\bzod\b|SQLITE_|[a-z]Error\b|undefined|\[object|\p{Cf}/mu

/** What a person can do next: a deed, or how what is wrong is written. */
const advice =
  /\b(look|make|name|use|remove|choose|give|set|put|check|restore|stop|write|correct|move|mount|run|change|trustnet|copy|get|say|needs|like|allowed|raise)\b/i

const run = (condition: string, argv: readonly string[]) =>
  new Promise<{ code: number; err: string }>((resolve) => {
    const script = `${condition} "$@" </dev/null`
    const env = { PATH: process.env['PATH'], HOME: root, TERM: 'dumb' }
    execFile(
      'unshare',
      ['-m', 'bash', '-c', script, 'bash', process.execPath, programPath, ...argv],
      { env, cwd: root, timeout: hungMs, killSignal: 'SIGKILL' },
      (error, _, err) => resolve({ code: error === null ? 0 : Number(error.code ?? -1), err })
    )
  })

describe.runIf(isRoot)('what a command says where something is wrong', () => {
  test.each([...conditions])('on a machine with %s', async (_, condition) => {
    for (const argv of onDisk) expectFit(argv, await run(condition, argv))
  })

  test('for a value that is none, or a file that is something else: what is wrong with it', async () => {
    const home = `env TRUSTNET_HOME=${path('sound')}`
    for (let at = 0; at < wrong.length; at += 4) {
      const some = wrong.slice(at, at + 4)
      const ends = await Promise.all(some.map((argv) => run(home, argv)))
      for (const [n, ended] of ends.entries()) {
        const argv = some[n] ?? []
        expectFit(argv, ended)
        expect({ argv, ended }).toMatchObject({ ended: { code: expect.toBeOneOf([1, 2, 3, 4, 7]) } })
      }
    }
  })
})

const expectFit = (argv: readonly string[], { code, err }: { code: number; err: string }): void => {
  const shown = argv.map((word) => word.slice(0, 40)).join(' ')
  expect({ shown, err }).toEqual({ shown, err: expect.not.stringMatching(unfit) })
  expect({ shown, code, err }).toMatchObject({ code: expect.toBeOneOf([0, 1, 2, 3, 4, 5, 6, 7]) })
  if (code !== 0) expect({ shown, err }).toEqual({ shown, err: expect.stringMatching(advice) })
  expect(err.length, shown).toBeLessThan(4500)
}
