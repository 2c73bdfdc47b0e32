import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { PeerRow } from '../../../../src/node/api/control-api.ts'
import { peerRow, peersView, root, unknownRow } from '../../../helpers/commands/control-views.ts'
import { testWith } from '../../../helpers/commands/tool.ts'
import { ControlHome, runCli, ScriptedApi } from '../../../helpers/control-process.ts'
import { tempFolder } from '../../../helpers/temp.ts'

/** Texts that a record may hold, and that break out of one format or another. */
const hostile = [
  '"}] , [',
  '{{ lookup("pipe", "touch /tmp/owned") }}',
  '{% raw %}',
  '=cmd|calc',
  'a,b',
  '# x',
  '$(id)',
  "'`"
]

const services = [
  { name: 'ssh', port: 2222, protocol: 'tcp', tags: [], state: 'unknown' },
  { name: 'node-exporter', port: 9100, protocol: 'tcp', tags: ['metrics', '","x'], state: 'passing' },
  { name: 'dns', port: 53, protocol: 'udp', tags: [], state: 'unknown' }
] satisfies PeerRow['services']

const rows = [
  peerRow({ ...root, self: true, role: 'root', addresses: ['/ip6/2001:db8::1/tcp/8000'], services: [] }),
  peerRow({
    addresses: ['/ip6/2001:db8::5/tcp/9000', '/ip6/fd00::5/tcp/9000', '/ip6/2001:db8::5/tcp/9001', '/ip6/::1/tcp/9000'],
    version: hostile.join(' '),
    tags: hostile,
    services
  }),
  peerRow({ name: 'gone', state: 'left', addresses: ['/ip6/2001:db8::6/tcp/9000'] }),
  peerRow({ name: 'lost', state: 'offline', addresses: ['/ip6/2001:db8::7/tcp/9000'], services: [] }),
  peerRow({ name: 'b\nHost *', addresses: ['/ip6/2001:db8::8/tcp/9000'], services: [] }),
  peerRow({ name: 'trap', addresses: ['/ip6/::1/tcp/9000'], services: [] }),
  unknownRow()
]

const api = new ScriptedApi()
api.peersAnswer = peersView(rows)
let home: ControlHome
beforeAll(async () => {
  home = await ControlHome.create()
  await home.serve('root', api)
})
afterAll(() => home[Symbol.asyncDispose]())

const exported = async (format: string, ...more: string[]): Promise<string> => {
  const { out, code } = await runCli(['export', format, ...more], { home: home.folder })
  expect(code).toBe(0)
  return out
}

const fileOf = (folder: string, name: string, content: string): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const run = (program: string, args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

describe('hosts', () => {
  test('has each address of each member that is there or may come back, and none that leads into this machine', async () => {
    const lines = (await exported('hosts')).split('\n')
    expect(lines[0]).toMatch(/^# Members of example\.org/)
    expect(lines.slice(1)).toEqual([
      '2001:db8::5 hal.example.org hal',
      'fd00::5 hal.example.org hal',
      '2001:db8::7 lost.example.org lost',
      '2001:db8::1 root.example.org root',
      ''
    ])
  })

  testWith('unshare')('is read by the C library', async () => {
    using folder = tempFolder()
    const file = fileOf(folder.path, 'hosts', await exported('hosts'))
    const script = `mount --bind ${file} /etc/hosts && getent ahostsv6 lost.example.org && getent hosts 2001:db8::1`
    const found = run('unshare', ['-m', '-r', 'sh', '-ec', script])
    expect(found).toMatch(/^2001:db8::7 +STREAM/)
    expect(found).toMatch(/2001:db8::1 +root\.example\.org root/)
  })
})

testWith('ssh')('ssh-config names address, key alias and the port of a service ssh', async () => {
  using folder = tempFolder()
  const file = fileOf(folder.path, 'config', await exported('ssh-config'))
  const asked = (host: string): string[] => run('ssh', ['-G', '-F', file, host]).split('\n')
  expect(asked('hal')).toEqual(
    expect.arrayContaining(['hostname 2001:db8::5', 'port 2222', 'hostkeyalias hal.example.org'])
  )
  expect(asked('lost.example.org')).toEqual(expect.arrayContaining(['hostname 2001:db8::7', 'port 22']))
  expect(asked('elsewhere')).toContain('hostname elsewhere')
})

testWith('ansible-inventory')(
  'ansible has groups by role, state, group and service, and no program of a member',
  async () => {
    using folder = tempFolder()
    const file = fileOf(folder.path, 'inventory.yml', await exported('ansible'))
    const text = run('ansible-inventory', ['-i', file, '--list'])
    const { _meta, ...groups } = JSON.parse(text)
    expect(Object.keys(_meta.hostvars).toSorted()).toEqual(['hal', 'lost', 'root'])
    expect(_meta.hostvars.hal).toMatchObject({ ansible_host: '2001:db8::5', trustnet_role: 'integrated' })
    expect(groups.role_root.hosts).toEqual(['root'])
    expect(groups.state_offline.hosts).toEqual(['lost'])
    expect(groups.service_node_exporter.hosts).toEqual(['hal'])
    expect(groups.group_web.hosts).toEqual(['root'])
    expect(JSON.stringify(_meta)).not.toMatch(/\{\{|\{%/)
  }
)

test('prometheus-sd has a target for each TCP service, or for each member at a port', async () => {
  const targets = JSON.parse(await exported('prometheus-sd'))
  expect(targets.map((group: { targets: string[] }) => group.targets)).toEqual([
    ['[2001:db8::5]:2222'],
    ['[2001:db8::5]:9100']
  ])
  expect(targets[1].labels).toMatchObject({
    member: 'hal',
    service: 'node-exporter',
    __meta_trustnet_service_tags: ',metrics,___x,'
  })
  const tagged = JSON.parse(await exported('prometheus-sd', '--tag', 'metrics'))
  expect(tagged).toHaveLength(1)
  const all = JSON.parse(await exported('prometheus-sd', '--port', '9100'))
  expect(all.map(({ labels }: { labels: { member: string } }) => labels.member)).toEqual(['hal', 'lost', 'root'])
})

test('tsv is a table whatever the texts of members are', async () => {
  const table = (await exported('tsv')).trimEnd().split('\n')
  const cells = table.map((line) => line.split('\t'))
  expect(cells.map(({ length }) => length)).toEqual(cells.map(() => 9))
  expect(cells[0]?.slice(0, 4)).toEqual(['name', 'peer_id', 'role', 'state'])
  const hal = cells.find(([name]) => name === 'hal')
  expect(hal?.[5]).toBe('2001:db8::5,fd00::5')
  expect(hal?.[6]).toBe('ssh:2222/tcp,node-exporter:9100/tcp,dns:53/udp')
  expect(hal?.[7]?.split(',')).toHaveLength(hostile.length)
  expect(hal?.[7]).not.toMatch(/(^|,)[=+@]/)
})

describe('with other members', () => {
  afterEach(() => {
    api.peersAnswer = peersView(rows)
  })

  test('a filter that leaves this node out keeps the addresses on the loopback of a network on one machine', async () => {
    api.peersAnswer = peersView([
      peerRow({ ...root, self: true, role: 'root', addresses: ['/ip6/::1/tcp/8000'], services: [] }),
      peerRow({ addresses: ['/ip6/::1/tcp/9000'], services })
    ])
    expect(await exported('hosts', '--role', 'integrated')).toContain('\n::1 hal.example.org hal\n')
    expect(await exported('ssh-config', '--service', 'ssh')).toContain('HostName ::1\n')
    expect(JSON.parse(await exported('prometheus-sd', '--tag', 'metrics'))).toHaveLength(1)
  })

  test('a member whose name means the machine itself, or all of them, has its whole name alone', async () => {
    const addresses = ['/ip6/2001:db8::9/tcp/9000']
    const trap = ['all', 'ip6-localhost', 'localhost', 'ungrouped'].map((name) =>
      peerRow({ name, addresses, services: [] })
    )
    api.peersAnswer = peersView(trap)
    const names = trap.map(({ name }) => `${name}.example.org`)
    expect((await exported('hosts')).split('\n').slice(1, -1)).toEqual(names.map((name) => `2001:db8::9 ${name}`))
    expect((await exported('ssh-config')).match(/^Host .*$/gm)).toEqual(names.map((name) => `Host ${name}`))
    const { all } = JSON.parse(await exported('ansible'))
    expect(Object.keys(all.hosts)).toEqual(names)
    expect(Object.keys(all.children.role_integrated.hosts)).toEqual(names)
  })
})

test('a filter that nobody fits is exit code 4, a word that is none a mistake', async () => {
  expect(await runCli(['export', 'hosts', '--service', 'none'], { home: home.folder })).toMatchObject({ code: 4 })
  expect(await runCli(['export', 'hosts', '--state', 'nice'], { home: home.folder })).toMatchObject({ code: 2 })
  expect(await runCli(['export', 'xml'], { home: home.folder })).toMatchObject({ code: 2 })
})
