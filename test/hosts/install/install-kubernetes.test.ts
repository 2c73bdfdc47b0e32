import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectSchema } from '../../helpers/schemas.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { FileRoot, whyNoFileRoots } from '../file-root.ts'

const program = resolve('dist/bin/trustnet.js')
const flags = ['--deployment', 'kubernetes', '--image', 'registry.example.org/trustnet:v1', '--name', 'hal']

describeUnless(process.getuid?.() === 0 ? whyNoFileRoots() : 'needs root')('install for a cluster', () => {
  let root: FileRoot

  const run = (...command: string[]): string => {
    const [file = '', ...args] = root.inside(...command)
    return execFileSync(file, args, { encoding: 'utf8', stdio: 'pipe', env: { PATH: process.env['PATH'] } })
  }
  const trustnet = (...args: string[]): string => run(process.execPath, program, ...args)
  const install = (...args: string[]): string =>
    trustnet('install', '--yes', '--domain', 'example.test', ...flags, ...args)
  const listing = (): string[] =>
    run('find', '/etc', '/opt', '/usr/local/bin', '/var/lib', '-xdev', '-name', '*trustnet*').split('\n').toSorted()

  beforeAll(() => {
    if (!existsSync(program)) throw new Error('dist is missing: npm run build')
    root = new FileRoot()
  })
  afterAll(() => root?.[Symbol.dispose]())

  it('is refused with --start where no cluster answers, with what to do', () => {
    expect(() => install('--trust-on-first-use', '--start')).toThrow(
      /(kubectl is not on this machine|kubectl reaches no cluster)\. Fix: .*without --start|leave --start out/
    )
  })

  it('writes manifests and a secret of its own, says what to run, and takes it all back', () => {
    const before = listing()
    const card = install('--role', 'root')
    expect(card).toContain('not started: its files are written')
    expect(card).toContain('kubectl apply --filename /etc/trustnet-kubernetes/hal/manifests.yaml')
    expect(card).toContain('kubectl --namespace trustnet exec trustnet-hal-0 -- cat')
    const passphrase = /Passphrase +(\S+)/.exec(card)?.[1] ?? 'none was shown'
    expect(run('cat', '/etc/trustnet-kubernetes/hal/passphrase')).toBe(`${passphrase}\n`)
    expect(run('stat', '-c', '%a %U', '/etc/trustnet-kubernetes/hal/passphrase')).toBe('600 root\n')
    expect(run('grep', '-rl', passphrase, '/etc', '/var/lib/trustnet-install')).toBe(
      '/etc/trustnet-kubernetes/hal/passphrase\n'
    )
    // Nothing but the files and the journal: the node is not on this machine.
    expect(listing().filter((path) => !before.includes(path))).toEqual([
      '/etc/trustnet-kubernetes',
      '/var/lib/trustnet-install'
    ])
    expect(trustnet('install', '--yes', '--name', 'hal')).toContain('not started')
    trustnet('uninstall', '--node', 'hal')
    expect(listing()).toEqual(before)
  })

  it('gives plan and card as data', () => {
    expectSchema('install-plan', JSON.parse(install('--trust-on-first-use', '--plan', '--json')))
    const card: unknown = JSON.parse(install('--trust-on-first-use', '--json'))
    expectSchema('install', card)
    expect(card).toMatchObject({ node: { name: 'hal', status: 'not started' }, recoveryKit: null })
    trustnet('uninstall', '--node', 'hal')
  })
})
