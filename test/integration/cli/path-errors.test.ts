import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fileKeys } from '../../../src/node/config/paths.ts'
import { commandCalls } from '../../helpers/commands/command-calls.ts'
import { commandTree, type KnownCommand } from '../../helpers/commands/command-tree.ts'
import { ControlHome, runCli, ScriptedApi } from '../../helpers/control-process.ts'
import { type StoppedRoot, stoppedEnv, stoppedRoot } from '../../helpers/faults/stopped-root.ts'
import { exampleInvite } from '../../helpers/registry/example-invite.ts'
import { tempFolder } from '../../helpers/temp.ts'

const isRoot = process.getuid?.() === 0
const places = tempFolder()
const at = (...parts: string[]): string => join(places.path, ...parts)

/** Paths that the system refuses, by its code. */
const paths: ReadonlyMap<string, string> = new Map([
  ['ENOENT', at('none', 'x')],
  ['ENOENT of a link', at('dangling')],
  ['ENOTDIR', at('file', 'x')],
  ['EISDIR', at('folder')],
  ['ELOOP', at('loop')],
  ['ENAMETOOLONG', at('n'.repeat(300))],
  ...(isRoot
    ? ([
        ['EROFS', at('read-only', 'x')],
        ['EACCES', at('closed', 'x')]
      ] as const)
    : [])
])

/** Runs as a user who may enter all folders here but one. Root may enter every folder. */
const asNobody = async <T>(own: readonly string[], run: () => Promise<T>): Promise<T> => {
  chmodSync(places.path, 0o711)
  for (const folder of own) execFileSync('chown', ['-R', `${nobody}`, folder])
  process.seteuid?.(nobody)
  try {
    return await run()
  } finally {
    process.seteuid?.(0)
    for (const folder of own) execFileSync('chown', ['-R', '0', folder])
  }
}
const nobody = 65_534

let home: ControlHome
let root: StoppedRoot

beforeAll(async () => {
  mkdirSync(at('folder'))
  writeFileSync(at('file'), 'x\n', { mode: 0o600 })
  symlinkSync(at('none', 'target'), at('dangling'))
  symlinkSync(at('loop'), at('loop'))
  if (isRoot) {
    mkdirSync(at('read-only'))
    mkdirSync(at('closed'), { mode: 0o700 })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=64k', 'tmpfs', at('read-only')])
  }
  home = await ControlHome.create()
  await home.serve('hal', new ScriptedApi())
  root = await stoppedRoot()
})
afterAll(async () => {
  if (isRoot) execFileSync('umount', ['-l', at('read-only')])
  await home[Symbol.asyncDispose]()
  for (const each of [root, places]) each[Symbol.dispose]()
})

const invite = exampleInvite()
/** How commands are called that ask no process. They end by themselves whatever the path is. */
const calls: ReadonlyMap<string, readonly string[]> = new Map([
  ['init', ['--domain', 'example.test', '--name', 'new', '--new-network']],
  ['node start', ['--name', 'new', '--domain', 'example.test']],
  ['registry start', ['--name', 'new']],
  ['join', [invite, '--name', 'new', '--no-start']],
  ['registry promote', ['--yes']],
  ['registry recover', ['--yes', '--domain', 'example.test']],
  ['registry restore', ['/nowhere/copy.db']],
  ['registry verify', []],
  ['registry diff', ['/nowhere/copy.db']],
  ['authority rotate', ['--kit', 'FOLDER/data/root/next-recovery.kit', '--to', 'FOLDER/after.kit', '--yes']],
  ['config check', []],
  ['config migrate', []],
  ['dev', ['--once', '--nodes', '1']],
  ['dns check', ['--domain', 'example.test']],
  ['upgrade', ['/nowhere/trustnet-9.9.9-linux-x64.tar.gz']],
  ['why', ['hal']],
  ['revoke', ['hal']]
])
const argumentsOfPaths: ReadonlySet<string> = new Set(['file', 'store', 'invite', 'release'])

interface Way {
  name: string
  argv: readonly string[]
  env?: Record<string, string>
}

/** Every option and argument of every command that takes a path. */
const wordsOf = ({ words, command }: KnownCommand): Way[] => {
  const name = words.join(' ')
  const call = name === 'wait' ? ['--timeout', '1s'] : (calls.get(name) ?? commandCalls.get(name) ?? [])
  const options = command.options
    .filter(({ flags }) => /<(file|folder)>/.test(flags))
    .map(({ long }) => ({ name: `${name} ${long}`, argv: [...words, ...call, long ?? '', 'PATH'] }))
  const named = command.registeredArguments.filter((argument) => argumentsOfPaths.has(argument.name()))
  const rest = call.filter((word) => word !== invite && !/^\/nowhere|^package\.json$/.test(word))
  return [
    ...options,
    ...named.map((argument) => ({ name: `${name} ${argument.name()}`, argv: [...words, 'PATH', ...rest] }))
  ]
}

const start = ['node', 'start', '--name', 'new', '--domain', 'example.test']
/** Every variable of the environment that names a path, and what reads it. */
const variables: ReadonlyMap<string, readonly string[]> = new Map([
  ['TRUSTNET_HOME', start],
  ['HOME', start],
  ['TRUSTNET_CONFIG', ['config', 'show']],
  ['TRUSTNET_INVITE_FILE', ['join', '--no-start', '--name', 'new']],
  ['TRUSTNET_RECOVERY_PASSPHRASE_FILE', ['registry', 'promote', '--yes']],
  ['TRUSTNET_ROOT_STORE_PASSWORD_FILE', [...start, '--set', 'root.store=postgres://trustnet@[::1]:1/log']],
  ['TRUSTNET_OPERATOR_PASSPHRASE_FILE', ['operator', 'key', at('operator.key'), '--passphrase']],
  [
    'CLOUDFLARE_API_TOKEN_FILE',
    ['dns', 'set', '--provider', 'cloudflare', '--domain', 'example.test', '--add', '2001:db8::1']
  ],
  [
    'TRUSTNET_DNS_TSIG_KEY_FILE',
    ['dns', 'set', '--provider', 'rfc2136', '--domain', 'example.test', '--add', '2001:db8::1']
  ],
  ['CREDENTIALS_DIRECTORY', ['join', '--no-start', '--name', 'new']],
  ['NOTIFY_SOCKET', start]
])

const keyWays = (): Way[] => [...fileKeys].map((key) => ({ name: key, argv: [...start, '--set', `${key}=PATH`] }))

const commands = await commandTree()
const ways: readonly Way[] = [
  ...commands.flatMap(wordsOf),
  ...keyWays(),
  ...[...variables].map(([variable, argv]) => ({ name: variable, argv, env: { [variable]: 'PATH' } }))
]

test('every variable that the source reads and that names a path is tried here', () => {
  const files = globSync('src/**/*.ts').map((file) => readFileSync(file, 'utf8'))
  const read = files.flatMap((text) => [...text.matchAll(/'([A-Z_]*(?:_FILE|HOME|_DIRECTORY|_SOCKET|_CONFIG))'/g)])
  const unknown = new Set(read.map(([, name]) => name).filter((name) => !variables.has(name ?? '')))
  // Codes of errors, and what only the editor reads that is given it.
  expect(unknown).toEqual(new Set(['KEY_FILE', 'UNFIT_FILE', 'XDG_CONFIG_HOME']))
})

/** What a person can do next. */
const advice =
  /\b(look|make|name|use|remove|choose|give|set|put|check|restore|stop|write|correct|move|mount|run|change|trustnet|copy|get)\b/i
const raw = /\b(E[A-Z]{4,}|ERR_\w+|errno|syscall|undefined|SQLITE\w*)\b|\bat .*\.[jt]s:\d+|Error:/

describe.each([...paths])('%s', (kind, path) => {
  test.each(ways)('$name says what, why and what to do', async ({ argv, env = {} }) => {
    // A network of processes of its own is no matter of a path that can be made.
    if (argv[0] === 'dev' && /ENOENT|EISDIR/.test(kind)) return
    const isStopped = calls.has(argv.slice(0, 2).join(' ')) || calls.has(argv[0] ?? '')
    const folder = isStopped ? at('home') : home.folder
    const filled = (text: string): string => text.replace(/^(.*=)?PATH$/, `$1${path}`).replace('FOLDER', folder)
    if (isStopped) cpSync(root.path, folder, { recursive: true })
    const given = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, filled(value)]))
    const more = isStopped ? stoppedEnv(folder) : {}
    const call = () => runCli(argv.map(filled), { home: folder, env: { ...more, ...given } })
    const { code, err } = await (kind === 'EACCES' ? asNobody([folder, at('folder')], call) : call())
    for (const left of ['none', 'home', 'folder']) rmSync(at(left), { recursive: true, force: true })
    mkdirSync(at('folder'))
    expect({ argv, code, err }).toMatchObject({ code: expect.toSatisfy((n: number) => n >= 0 && n <= 7) })
    expect({ argv, err }).toMatchObject({ err: expect.not.stringMatching(raw) })
    if (code !== 0 && code !== 7) expect({ argv, err }).toMatchObject({ err: expect.stringMatching(advice) })
  })
})
