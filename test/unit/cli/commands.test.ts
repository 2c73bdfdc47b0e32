import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  inviteView,
  peerIds,
  peerRow,
  peersView,
  statusView,
  unknownRow
} from '../../helpers/commands/control-views.ts'
import { ControlHome, runCli, ScriptedApi } from '../../helpers/control-process.ts'
import { serviceNamed } from '../../helpers/signed-objects.ts'

const csi = '\u001b['

let home: ControlHome
let api: ScriptedApi
beforeEach(async () => {
  home = await ControlHome.create()
  api = new ScriptedApi()
})
afterEach(() => home[Symbol.asyncDispose]())

const run = (argv: string[], init: Partial<Parameters<typeof runCli>[1]> = {}) =>
  runCli(argv, { home: home.folder, ...init })

describe('peers', () => {
  beforeEach(() => home.serve('hal', api))

  test('on a pipe: summary, all columns, no colour, - for what is not known', async () => {
    const { out, code } = await run(['peers'])
    const lines = out.trimEnd().split('\n')
    expect(code).toBe(0)
    expect(lines[0]).toContain('3 members: 2 online, 1 unknown')
    expect(lines[2]?.split(/ {2,}/)).toEqual(
      'NAME,PEER ID,STATE,ROLE,DIR,RTT,SEEN,UPTIME,SOURCE,VERSION,ADDRESS,LAST ERROR'.split(',')
    )
    expect(lines[3]).toMatch(/^root \(self\)/)
    expect(lines[5]?.trim().split(/ {2,}/)).toEqual([
      '-',
      '…RCu1cccc',
      'unknown',
      ...Array.from({ length: 9 }, () => '-')
    ])
    expect(out).not.toContain(csi)
  })

  test('on a terminal: colours, and columns that do not fit are left out and named', async () => {
    const wide = await run(['peers'], { columns: 200 })
    expect(wide.out).toContain(csi)
    const narrow = await run(['peers'], { columns: 80 })
    expect(narrow.out).toContain('no room for')
    expect(narrow.out).not.toContain('LAST ERROR ')
    expect((await run(['peers'], { columns: 200, env: { NO_COLOR: '1' } })).out).not.toContain(csi)
  })

  test('a long reason pushes nothing off a narrow terminal', async () => {
    const reason = 'the registry that spoke for it is offline and nobody else has heard of it'
    api.peersAnswer = peersView([peerRow({ state: 'unknown', stateSinceMs: Date.now(), reason })])
    const { out } = await run(['peers'], { columns: 80, env: { NO_COLOR: '1' } })
    expect(out).toContain('unknown 0s: the registry that')
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([])
    expect((await run(['peers'])).out).toContain(reason)
  })

  test('--long shows whole PeerIds, streams and bytes', async () => {
    const { out } = await run(['peers', '--long'], { columns: 80, env: { NO_COLOR: '1' } })
    expect(out).toContain('12D3KooWGRUfgPvBSk3h8u5cQm9YxZc1V8rPpYb4tq1oRCu1bbbb')
    expect(out).toMatch(/STREAMS.*IN.*OUT/)
    expect(out).toContain('2.0KiB')
  })

  test('--long shows the last day as a spark line, and each uptime says over which time', async () => {
    const { out } = await run(['peers', '--long'])
    const [, , titles, root, hal, unknown] = out.split('\n').map((line) => line.split(/ {2,}/))
    const at = (title: string): number => titles?.indexOf(title) ?? -1
    expect([root, hal, unknown].map((cells) => cells?.at(at('LAST DAY')))).toEqual(['·▁▅█', '-', '-'])
    expect(hal?.at(at('UPTIME'))).toMatch(/^99\.9% of (?:1d|24h)$/)
    api.timeline = async () => {
      throw new Error('no network yet')
    }
    expect((await run(['peers', '--long'])).code).toBe(0)
  })

  test('a peer that is down stays listed with age and reason', async () => {
    api.peersAnswer = peersView([
      peerRow({ state: 'offline', stateSinceMs: Date.now() - 180_500, reason: 'lease lapsed', confirmed: false })
    ])
    expect((await run(['peers'])).out).toContain('offline (unconfirmed) 3m: lease lapsed')
  })

  test('strings of other machines cannot reach the terminal', async () => {
    const evil = `x${csi}2J\u202e\nroot`
    api.peersAnswer = peersView([
      peerRow({
        name: evil,
        version: evil,
        address: evil,
        reason: evil,
        services: [{ ...serviceNamed(evil), tags: [evil] }],
        state: 'suspect'
      }),
      unknownRow({ lastError: { message: evil, ageMs: 1 } })
    ])
    for (const argv of [['peers'], ['peers', '--long'], ['lookup'], ['peers', '--json']]) {
      const { out } = await run(argv)
      expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    }
  })

  test('exits with 4 when nobody fits, with 2 for a state that there is not', async () => {
    expect((await run(['peers', '--state', 'left'])).code).toBe(4)
    const wrong = await run(['peers', '--state', 'dead'])
    expect(wrong).toMatchObject({ code: 2, out: '' })
    expect(wrong.err).toContain("'dead'")
  })
})

describe('status', () => {
  beforeEach(() => home.serve('hal', api))

  test('one word first, then what is missing, what may die, and the fix of each warning', async () => {
    api.statusAnswer = statusView({
      warnings: [
        {
          code: 'recovery-kit',
          level: 'warning',
          message: 'the recovery kit is still on this machine',
          fix: 'trustnet status --acknowledge recovery-kit',
          sinceMs: null,
          acknowledged: false
        }
      ]
    })
    const { out } = await run(['status'])
    expect(out).toMatch(/^healthy: 4 of 4 members online\n/)
    expect(out).toContain('needs 1 more cached peer')
    expect(out).toContain('root may die: yes; DNS may die: yes; both: no, needs 1 more cached peer')
    expect(out).toMatch(/\nNames +NAME\.example\.org answered at \[::1\]:5335\n/)
    expect(out).toContain('warning recovery-kit: the recovery kit is still on this machine')
    expect(out).toContain('fix: trustnet status --acknowledge recovery-kit')
  })

  test('says in short which services are in use, and nothing where none are', async () => {
    expect((await run(['status'])).out).not.toContain('Forwards')
    const common = { service: 'ssh', count: 1 }
    const most = [
      { ...common, peerId: peerIds[1], name: 'hal', direction: 'in' as const, count: 2 },
      { ...common, peerId: peerIds[0], name: 'db', direction: 'out' as const }
    ]
    api.statusAnswer = statusView({ forwards: { exposed: 1, listeners: 1, in: 2, out: 1, most } })
    const { out } = await run(['status'])
    expect(out.replaceAll(/\s+/g, ' ')).toContain(
      'Forwards 2 in, 1 out, hal calls ssh (2), calls ssh of db, 1 service exposed, 1 address listened on'
    )
  })

  test('says through whom this node is reached, and for how many it relays', async () => {
    expect((await run(['status'])).out).not.toContain('Relay')
    const relays = [{ peerId: peerIds[0] ?? '', name: 'root' }]
    const serves = { reservations: 2, circuits: 1, bytes: 2048, refused: 0, lastRefusal: null }
    const said = async (): Promise<string> => (await run(['status'])).out.replaceAll(/\s+/g, ' ')
    api.statusAnswer = statusView({ relay: { relays, trouble: null, serves } })
    expect(await said()).toContain(
      'Relay reached through root, relays for 2 members, 1 connection now, 2.0KiB passed on'
    )
    const refused = { ...serves, refused: 3, lastRefusal: '512 circuits are open here' }
    api.statusAnswer = statusView({ relay: { relays: [], trouble: 'it has not asked yet', serves: refused } })
    expect(await said()).toContain('Relay nobody relays for this node: it has not asked yet, relays for 2 members')
    expect(await said()).toContain('3 refused, the last: 512 circuits are open here')
  })

  test('--check exits with 5 unless healthy', async () => {
    expect((await run(['status', '--check'])).code).toBe(0)
    api.statusAnswer = statusView({ word: 'isolated', summary: 'no registry answers' })
    expect((await run(['status', '--check'])).code).toBe(5)
    expect((await run(['status'])).code).toBe(0)
  })
})

describe('which process', () => {
  test('nothing running: exit 3 and how to begin', async () => {
    const { code, err } = await run(['status'])
    expect(code).toBe(3)
    for (const next of ['trustnet dev', 'trustnet init', 'trustnet join']) expect(err).toContain(next)
  })

  test('several running: exit 2 and their names, unless one is named', async () => {
    await home.serve('hal', api)
    await home.serve('zoe', api)
    const { code, err } = await run(['status'])
    expect(code).toBe(2)
    expect(err).toContain('hal, zoe')
    expect((await run(['status', 'zoe'])).code).toBe(0)
    expect((await run(['peers', '--node', 'zoe'])).code).toBe(0)
    expect((await run(['status', 'eve'])).code).toBe(3)
    expect((await run(['status'], { env: { TRUSTNET_NAME: 'zoe' } })).code).toBe(0)
    expect((await run(['status', 'hal'], { env: { TRUSTNET_NAME: 'eve' } })).code).toBe(0)
    expect((await run(['why', 'root'], { env: { TRUSTNET_NAME: 'eve' } })).code).toBe(3)
  })

  test('--node and --name mean the same, wherever one of them is known', async () => {
    await home.serve('hal', api)
    await home.serve('zoe', api)
    expect((await run(['status', '--name', 'zoe'])).code).toBe(0)
    expect((await run(['why', 'root', '--name', 'zoe'])).code).toBe(5)
    for (const option of ['--name', '--node', '-n', '--node-name'])
      expect((await run(['config', 'show', option, 'zoe', '--json'])).out, option).toContain('"name": "zoe"')
    expect((await run(['status', '--help'])).out).not.toContain('--name')
  })
})

describe('other commands', () => {
  beforeEach(() => home.serve('hal', api))

  test('invite: the line alone on stdout', async () => {
    const { out, err } = await run(['invite', '--role', 'independent', '--ttl', '2h'])
    expect(out).toBe('tnet1line\n')
    expect(err).toContain('trustnet join')
    expect(err).not.toContain('The line names')
  })

  test('invite says that its line names one registry alone', async () => {
    api.invite = async () => ({ ...inviteView, registries: 1 })
    const { out, err } = await run(['invite'])
    expect([out, err]).toEqual(['tnet1line\n', expect.stringContaining('names one registry')])
  })

  test('lookup follows the pages and exits with 4 without a row', async () => {
    expect(JSON.parse((await run(['lookup', '--json'])).out)).toMatchObject({ rows: [{}, {}, {}], next: null })
    expect(JSON.parse((await run(['lookup', '--json', '--limit', '2'])).out)).toMatchObject({
      rows: [{}, {}],
      next: '2'
    })
    expect((await run(['lookup', 'nobody'])).code).toBe(4)
  })

  test('topology: a flowchart, or the format that was asked for', async () => {
    expect((await run(['topology'])).out).toMatch(/^flowchart LR\n/)
    expect((await run(['topology', '--format', 'dot'])).out).toMatch(/^graph trustnet \{\n/)
    const { out } = await run(['topology', '--format', 'json'])
    expect(JSON.parse(out)).toMatchObject({ schema: 1, nodes: [{}, {}, {}], links: [{}, {}] })
    expect(await run(['topology', '--format', 'svg'])).toMatchObject({ code: 2, out: '' })
  })

  test('log-level: of the process, or of one part', async () => {
    const asked: unknown[] = []
    const { logLevel } = api
    api.logLevel = async (given) => {
      asked.push(given)
      return await logLevel(given)
    }
    await run(['log-level', 'warn'])
    await run(['log-level', 'debug', '--service', 'gossipsub'])
    expect(asked).toEqual([{ level: 'warn' }, { level: 'debug', service: 'gossipsub' }])
    expect(await run(['log-level', 'loud'])).toMatchObject({ code: 2, out: '' })
  })

  test('address: an unknown member is no match', async () => {
    expect((await run(['address'])).out).toBe('fd00::1\n')
    expect(await run(['address', 'nobody'])).toMatchObject({ code: 4, out: '' })
    expect((await run(['address', '--assign', '-x; reboot'])).code).toBe(2)
  })

  test('wait: at once when it holds, exit 7 with what is missing when the time is over', async () => {
    expect((await run(['wait', '--timeout', '10m'])).code).toBe(0)
    const late = async (ms: number): ReturnType<typeof run> => {
      const ran = await run(['wait', '--online', '9', '--timeout', `${ms}ms`])
      // This machine was too slow to ask even once.
      return ran.err.includes('missing a running process') ? await late(2 * ms) : ran
    }
    expect(await late(300)).toMatchObject({ code: 7, err: expect.stringContaining('9 members online (2 of 3 are)') })
  })

  test('wait reports the members that it has waited for', async () => {
    api.statusAnswer = statusView({ summary: '1 of 1 member online' })
    const { peers } = api
    api.peers = async () => {
      api.statusAnswer = statusView({ summary: '2 of 2 members online' })
      return await peers()
    }
    expect((await run(['wait', '--online', '2'])).out).toBe('healthy: 2 of 2 members online\n')
  })

  test('wait: goes on with the event that fulfils it', async () => {
    api.statusAnswer = statusView({ word: 'starting', summary: 'dialling' })
    const done = run(['wait', '--timeout', '10m'])
    while (api.watchers === 0) await new Promise((resolve) => setImmediate(resolve))
    api.statusAnswer = statusView()
    api.emit({ schema: 1, type: 'status', word: 'healthy', phase: 'federated' })
    expect((await done).code).toBe(0)
  })

  test('why: exits with 5 when a check failed', async () => {
    const { out, code } = await run(['why', '…RCu1bbbb'])
    expect(code).toBe(5)
    expect(out).toContain('no  lease: lapsed 3m ago')
  })

  test('an unknown command or option is exit 2 with a suggestion', async () => {
    const wrong = await run(['peer'])
    expect(wrong.code).toBe(2)
    expect(wrong.err).toContain('peers')
    expect((await run(['peers', '--lon'])).code).toBe(2)
  })

  test.each([
    [['foo'], "error: unknown command 'foo'; `trustnet --help` lists them\n"],
    [['foo', 'registry'], "error: unknown command 'foo'; `trustnet --help` lists them\n"],
    [['registry', 'list'], "error: unknown command 'list'; `trustnet registry --help` lists them\n"],
    [['help', 'registry', 'list'], "error: unknown command 'list'; `trustnet registry --help` lists them\n"],
    [['invite', 'show'], "error: missing required argument 'id'; `trustnet invite show --help` says more\n"],
    [
      ['completion'],
      "error: missing required argument 'shell', one of bash, zsh, fish; `trustnet completion --help` says more\n"
    ]
  ])('%j says what may stand there', async (argv, err) => {
    expect(await run(argv)).toMatchObject({ code: 2, err })
  })

  test('help and version go to stdout with exit 0', async () => {
    const help = await run(['peers', '--help'])
    expect(help).toMatchObject({ code: 0, err: '' })
    expect(help.out).toContain('Examples:')
    expect((await run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+/)
  })

  test('config check: exit 2 naming line and nearest key', async () => {
    const { code, err } = await run(['config', 'check', '--config', '/nowhere.yaml'])
    expect(code).toBe(2)
    expect(err).toContain('/nowhere.yaml')
    expect((await run(['config', 'show', '--json'])).code).toBe(0)
  })
})
