import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { peerRow, peersView, unknownRow } from '../../helpers/commands/control-views.ts'
import { ControlHome, runCli, ScriptedApi } from '../../helpers/control-process.ts'
import { expectSchema, schemaNames } from '../../helpers/schemas.ts'

const commands: [string, string[]][] = [
  ['peers', ['peers']],
  ['events', ['events']],
  ['peers', ['export', 'tsv']],
  ['topology', ['topology']],
  ['log-level', ['log-level', 'debug', '--service', 'gossipsub']],
  ['lookup', ['lookup']],
  ['status', ['status']],
  ['registry-status', ['registry', 'status']],
  ['moved-root', ['registry', 'move-root', '--to', 'sqlite']],
  ['registry-nodes', ['registry', 'nodes']],
  ['registry-clock', ['registry', 'clock']],
  ['registry-clock', ['registry', 'clock', '--accept']],
  ['registry-evict', ['registry', 'evict']],
  ['registry-evict', ['registry', 'evict', '--confirm']],
  ['registry-void', ['registry', 'void']],
  ['change', ['registry', 'void', '--dismiss', 'hal']],
  ['registry-pending', ['registry', 'pending']],
  ['registry-log', ['registry', 'log']],
  ['registry-at', ['registry', 'at', '12']],
  ['registry-log-diff', ['registry', 'diff', 'v3', 'v12']],
  ['registry-checkpoint', ['registry', 'checkpoint', '--note']],
  ['registry-witness-lines', ['registry', 'witness-lines', 'package.json']],
  ['change', ['registry', 'approve', 'hal']],
  ['change', ['registry', 'reject', 'hal']],
  ['registry-reject-all', ['registry', 'reject', '--older', '1h', '--matching', 'bot-*']],
  ['registry-backup', ['registry', 'backup']],
  ['change', ['registry', 'resume', '--head', '12']],
  ['change', ['revoke', 'hal']],
  ['change', ['leave']],
  ['members', ['member', 'list']],
  ['change', ['member', 'rename', 'hal', 'hal-2']],
  ['change', ['member', 'role', 'hal', 'external']],
  ['change', ['member', 'groups', 'hal', '--none']],
  ['change', ['member', 'end', 'hal', '--plan']],
  ['change', ['registry', 'retire', 'hal', '--plan']],
  ['operators', ['operator', 'list']],
  ['operator', ['operator', 'add', 'ann', '--key', '12D3KooWGRUfgPvBSk3h8u5cQm9YxZc1V8rPpYb4tq1oRCu1aaaa']],
  ['operator', ['operator', 'remove', 'ann', '--plan']],
  ['waiting-orders', ['operator', 'pending']],
  ['operator', ['operator', 'approve', '3fa2']],
  ['document-published', ['document', 'publish', 'package.json', '--id', 'plan']],
  ['forwards', ['expose']],
  ['expose', ['expose', 'web', '--to', '[::1]:80']],
  ['documents', ['document', 'list']],
  ['document', ['document', 'show', 'plan']],
  ['document-history', ['document', 'history', 'plan']],
  ['document-retired', ['document', 'retire', 'plan', '--reason', 'old']],
  ['publisher', ['document', 'allow-publisher', 'hal']],
  ['services', ['service', 'list']],
  ['service-change', ['service', 'add', 'web', '--port', '80']],
  ['service-change', ['service', 'remove', 'web']],
  ['service-change', ['maintenance', 'on', '--reason', 'disk']],
  ['service-change', ['maintenance', 'off']],
  ['publisher', ['document', 'remove-publisher', 'hal']],
  ['store', ['store', 'add', 'docs', '--name', 'music']],
  ['stores', ['store', 'list']],
  ['stores', ['store', 'status']],
  ['store', ['store', 'show', 'music']],
  ['store', ['store', 'sync', 'music']],
  ['stores', ['store', 'sync', '--all']],
  ['store', ['store', 'pin', 'music']],
  ['store-removed', ['store', 'remove', 'music']],
  ['identity', ['identity']],
  ['identity-rotate', ['identity', 'rotate']],
  ['reload', ['reload']],
  ['address', ['address']],
  ['invite', ['invite']],
  ['invite-list', ['invite', 'list']],
  ['invite-list', ['invite', 'show', 'ff']],
  ['invite-cancel', ['invite', 'cancel', 'ff']],
  ['policy', ['policy', 'show']],
  ['policy', ['policy', 'set', 'admission=open', 'membership=30d']],
  ['policy-preview', ['policy', 'set', 'admission=open', '--plan']],
  ['policy-call', ['policy', 'test', 'hal', 'root', 'ssh']],
  ['connect', ['peers', 'connect', '/ip6/::1/tcp/1']],
  ['connect', ['peers', 'connect', 'hal']],
  ['ping', ['ping', 'hal', '--count', '2', '--interval', '200ms']],
  ['disconnect', ['peers', 'disconnect', 'hal']],
  ['why', ['why', 'hal']],
  ['acknowledge', ['status', '--acknowledge', 'recovery-kit']],
  ['ui', ['ui']],
  ['matrix', ['peers', '--matrix']],
  ['compare', ['peers', '--compare', 'root,self']],
  ['version', ['version']],
  ['config-check', ['config', 'check']],
  ['config-show', ['config', 'show']],
  ['config-migrate', ['config', 'migrate', new URL('../../../examples/trustnet.yaml', import.meta.url).pathname]]
]

/** Held to their schemas where such a process or folder is at hand. */
const elsewhere = [
  'connections',
  'health',
  'ready',
  'stats',
  'common',
  'error',
  'timeline',
  'recent-log',
  'metrics',
  'peers-watch',
  'registry-prepared',
  'registry-entered',
  'registry-spread',
  'ordered',
  'join',
  'join-prepared',
  'init',
  'identity-stopped',
  'registry-become-root',
  'revoke-authority',
  'authority-rotate',
  'registry-restore',
  'registry-verify',
  'registry-verify-proof',
  'registry-diff',
  'dns-show',
  'dns-check',
  'dns-set',
  'install',
  'install-plan',
  'uninstall',
  'uninstall-plan',
  'upgrade',
  'upgrade-plan',
  'doctor',
  'drill'
]

describe('JSON of each command', () => {
  let home: ControlHome
  beforeAll(async () => {
    home = await ControlHome.create()
    const api = new ScriptedApi()
    const error = { message: 'connect ECONNREFUSED', ageMs: 12 }
    api.peersAnswer = peersView([peerRow(), unknownRow({ lastError: error, confirmed: false })])
    await home.serve('hal', api)
  })
  afterAll(() => home[Symbol.asyncDispose]())

  test.each(commands)('fits %s.schema.json: %j', async (name, argv) => {
    const { out } = await runCli([...argv, '--json'], { home: home.folder })
    expectSchema(name, JSON.parse(out))
  })

  test.each([
    [['address', 'nobody'], 'NOT_FOUND'],
    [['address', '--nonsense'], 'USAGE'],
    [['config', 'check', '/nonexistent.yaml'], 'CONFIG']
  ])('fits error.schema.json on stderr, with a code, where it fails: %j', async (argv, code) => {
    const { out, err } = await runCli([...argv, '--json'], { home: home.folder })
    const last: { error: { code: string } } = JSON.parse(err.trimEnd().split('\n').at(-1) ?? '')
    expectSchema('error', last)
    expect({ out, code: last.error.code }).toEqual({ out: '', code })
    expect((await runCli(argv, { home: home.folder })).err).not.toContain('schema')
  })

  test('every schema is used by a command', () => {
    const used = new Set([...commands.map(([name]) => name), ...elsewhere].map((name) => `${name}.schema.json`))
    expect(schemaNames.filter((name) => !used.has(name))).toEqual([])
  })
})
