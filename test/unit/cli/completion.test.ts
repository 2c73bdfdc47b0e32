import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { commandTree } from '../../helpers/commands/command-tree.ts'
import { root } from '../../helpers/commands/control-views.ts'
import { ControlHome, runCli, ScriptedApi } from '../../helpers/control-process.ts'

let home: ControlHome
let api: ScriptedApi
beforeEach(async () => {
  home = await ControlHome.create()
  api = new ScriptedApi()
  await home.serve('hal', api)
})
afterEach(() => home[Symbol.asyncDispose]())

const run = (argv: string[]) => runCli(argv, { home: home.folder })
/** Names are asked for within a second, which a busy machine may miss: then none is offered. */
const offered = (...words: string[]) => expect.poll(async () => (await run(['complete', '--', ...words])).out)

describe('completion', () => {
  test('completion knows subcommands and options', async () => {
    expect((await run(['complete', '--', 'reg'])).out).toBe('registry\n')
    expect((await run(['complete', '--', 'peers', '--wa'])).out).toBe('--watch\n')
    expect((await run(['complete', '--', 'registry', 'ap'])).out).toBe('approve\n')
    expect((await run(['complete', '--', 'constructor', ''])).out).toBe('')
  })

  /** One that waits to be let in. */
  const pending: ScriptedApi['pending'] = async () => {
    const asked = { askedMs: 1, waitsFor: 'approve', address: null, withInvite: false } as const
    return { pending: [{ peerId: root.peerId, name: 'new-1', role: 'integrated', ...asked, looksLike: [] }] }
  }

  test('completion knows choices, nodes that run here, and members', async () => {
    api.pending = pending
    expect((await run(['complete', '--', 'invite', '--role', 'sec'])).out).toBe('secondary\n')
    expect((await run(['complete', '--', 'status', ''])).out).toBe('hal\n')
    expect((await run(['complete', '--', 'peers', '--node', ''])).out).toBe('hal\n')
    await offered('why', '').toBe('root\nhal\n')
    await offered('registry', 'approve', 'n').toBe('new-1\n')
    expect((await run(['complete', '--', 'registry', 'approve', 'r'])).out).toBe('')
    expect((await run(['complete', '--', 'member', 'role', 'root', 'ext'])).out).toBe('external\n')
    expect((await run(['complete', '--', 'node', 'start', '--peer', ''])).out).toBe('')
    expect((await run(['complete', '--', 'config', 'check', ''])).out).toBe('')
    expect((await run(['complete', '--', 'peers', '--state', 'online,sus'])).out).toBe('online,suspect\n')
    expect((await run(['complete', '--', 'node', 'start', '--log-level', 'w'])).out).toBe('warn\n')
    for (const words of [['member', 'end'], ['registry', 'retire'], ['registry', 'void', '--dismiss'], ['revoke']])
      await offered(...words, 'r').toBe('root\n')
  })

  /** Arguments that nobody can know: new names and texts, addresses, places in time, and files, which the shell completes. */
  const free = [
    'file',
    'folder',
    'store',
    'release',
    'invite',
    'name',
    'group',
    'multiaddr',
    'service',
    'key=value',
    'words'
  ]
  const knownHere = ['operator remove name', ...['show', 'sync', 'remove', 'pin'].map((verb) => `store ${verb} name`)]
  const freeHere = ['registry at time-or-n', 'registry diff file-or-from', 'registry diff to', 'forward listen']

  test('completion knows something for each argument that can be known', async () => {
    api.pending = pending
    for (const { words, command } of await commandTree()) {
      const given: string[] = []
      for (const argument of command.registeredArguments) {
        const what = [...words, argument.name()].join(' ')
        const isKnown = knownHere.includes(what) || !(free.includes(argument.name()) || freeHere.includes(what))
        const others = ['', 'help', ...command.commands.map((one) => one.name())]
        const isOffered = async (): Promise<boolean> => {
          const { out } = await run(['complete', '--', ...words, ...given, ''])
          return out.split('\n').some((word) => !others.includes(word))
        }
        await expect.poll(isOffered, { message: what }).toBe(isKnown)
        given.push('x')
      }
    }
  })

  test('completion knows members where several nodes run, too', async () => {
    await home.serve('zoe', new ScriptedApi())
    await offered('why', '').toBe('root\nhal\n')
    await offered('why', '--node', 'zoe', '').toBe('root\nhal\n')
  })
})
