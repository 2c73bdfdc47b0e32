import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { StatusView } from '../../../src/node/api/control-api.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { expectSchema } from '../../helpers/schemas.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { FileRoot, whyNoFileRoots } from '../file-root.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'
import { ProgramFolders } from '../program-folders.ts'
import { SystemdHost, whyNoSystemd } from '../systemd-host.ts'

const names = ['tnr', 'hal']

describeUnless(whyNoNamespaces() ?? whyNoFileRoots() ?? whyNoSystemd())('an upgrade where systemd is the init', () => {
  let network: HostNetwork
  let root: FileRoot
  let host: SystemdHost
  let programs: ProgramFolders

  const status = (name: string): StatusView => JSON.parse(host.run('trustnet', 'status', '--json', '--node', name))
  const states = (): unknown[] => names.map(status).map(({ self, word }) => [self.version, word])
  const pids = (): number[] => names.map((name) => status(name).self.pid)
  const peerIds = (): string[] => names.map((name) => status(name).self.peerId)
  const installed = (): string[] =>
    readdirSync(join(root.path, 'opt/trustnet'))
      .filter((name) => name !== 'current')
      .toSorted()
  const current = (): string => readlinkSync(join(root.path, 'opt/trustnet/current'))
  const journals = (): string[] => readdirSync(join(root.path, 'var/lib/trustnet-install')).toSorted()
  const config = (): string => readFileSync(join(root.path, 'etc/trustnet/hal.yaml'), 'utf8')
  const healthy = (name: string): boolean => status(name).word === 'healthy'

  beforeAll(async () => {
    network = new HostNetwork(['up'])
    network.useNameServer(network.host('up').address)
    root = new FileRoot()
    root.removeNode()
    programs = await ProgramFolders.in(root)
    host = await SystemdHost.boot(network.host('up').namespace, root)
    const program = programs.command()
    host.run(program, 'install', '--yes', '--role', 'root', '--domain', 'example.test', '--name', 'tnr')
    const invite = host.run('trustnet', 'invite', '--node', 'tnr').trim()
    host.run(program, 'install', '--yes', '--name', 'hal', '--invite', invite)
    await eventually(() => names.every(healthy))
  })

  afterAll(async () => {
    await host?.[Symbol.asyncDispose]()
    root?.[Symbol.dispose]()
    network?.[Symbol.dispose]()
  })

  it('without another version there is nothing to do', () => {
    const before = pids()
    expect(host.run(programs.command(), 'upgrade')).toContain(`This machine is at ${programs.version} already.`)
    expect(pids()).toEqual(before)
  })

  it('the plan names program, services and configurations, and changes nothing', () => {
    const before = pids()
    const program = programs.make('9.0.1')
    // As an older version wrote it.
    host.run(
      'sh',
      '-c',
      'sed -i /^configVersion/d /etc/trustnet/hal.yaml && printf "gossip: { batch: 5 }\\n" >> /etc/trustnet/hal.yaml'
    )
    const plan: { migrations: unknown[] } = JSON.parse(host.run(program, 'upgrade', '--plan', '--json'))
    expectSchema('upgrade-plan', plan)
    expect(plan).toMatchObject({ from: programs.version, to: '9.0.1', nodes: names, obsolete: [] })
    expect(plan.migrations).toEqual([
      { file: '/etc/trustnet/hal.yaml', changes: [expect.stringContaining('gossip.batch is left out')] }
    ])
    expect(host.run(program, 'upgrade', '--plan')).toContain('link /opt/trustnet/current → 9.0.1')
    expect([installed(), current(), pids()]).toEqual([[programs.version], programs.version, before])
  })

  it('every node comes up with the new version, configurations are rewritten, and the old version stays', () => {
    const before = peerIds()
    const old = config()
    const answer: { migrated: { copy: string }[] } = JSON.parse(
      host.run(programs.command('9.0.1'), 'upgrade', '--json')
    )
    expectSchema('upgrade', answer)
    expect(states()).toEqual(names.map(() => ['9.0.1', 'healthy']))
    expect(peerIds()).toEqual(before)
    expect([installed(), current()]).toEqual([[programs.version, '9.0.1'].toSorted(), '9.0.1'])
    expect(config()).toMatch(/configVersion: 2/)
    expect(config()).not.toMatch(/batch/)
    expect(readFileSync(join(root.path, String(answer.migrated[0]?.copy)), 'utf8')).toBe(old)
    expect(journals()).toEqual(['hal.json', 'tnr.json'])
  })

  it('a version that does not come up takes the whole machine back by itself', () => {
    const program = programs.make('9.0.2', { broken: true })
    expect(() => host.run(program, 'upgrade')).toThrow(/The machine is back on 9\.0\.1; what it said: journalctl -u/)
    expect(states()).toEqual(names.map(() => ['9.0.1', 'healthy']))
    expect([installed(), current()]).toEqual([[programs.version, '9.0.1'].toSorted(), '9.0.1'])
    expect(journals()).toEqual(['hal.json', 'tnr.json'])
    expect(host.run('journalctl', '--no-pager', '-u', 'trustnet-tnr')).toContain('broken on purpose')
  })

  it('ended by a signal in the middle it says how things are, with the code of a shell', async () => {
    const program = programs.make('9.0.3')
    const log = (): string => readFileSync(join(root.path, 'root/upgrade.log'), 'utf8')
    const run = `${program} upgrade --verbose & echo $! > /root/upgrade.pid; wait $!; echo "code $?"`
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      host.run('sh', '-c', `{ ${run}; } > /root/upgrade.log 2>&1 &`)
      await eventually(() => log().includes('[2/3] Restart of'), ceilingMs, log)
      host.run('sh', '-c', `kill -${signal.slice(3)} $(cat /root/upgrade.pid)`)
      await eventually(() => /^code /m.test(log()), ceilingMs, log)
      const said = `Interrupted by ${signal}: the machine is between two versions, and the same command goes on.`
      expect(log()).toContain(`${said}\ncode ${128 + constants.signals[signal]}\n`)
      expect(journals()).toEqual(['hal.json', 'tnr.json', 'upgrade'])
    }
  })

  it('killed in the middle it goes on with the same command; of older versions one is kept', async () => {
    const program = programs.command('9.0.3')
    host.run('sh', '-c', `${program} upgrade --verbose > /root/upgrade.log 2>&1 & echo $! > /root/upgrade.pid`)
    const log = (): string => readFileSync(join(root.path, 'root/upgrade.log'), 'utf8')
    await eventually(() => log().includes('[2/3] Restart of'), ceilingMs, log)
    host.run('sh', '-c', 'kill -9 $(cat /root/upgrade.pid)')
    // Beside them may be what it was just writing.
    expect(journals()).toEqual(expect.arrayContaining(['hal.json', 'tnr.json', 'upgrade']))
    expect(host.run(program, 'upgrade')).toContain('The way back: /opt/trustnet/9.0.1/bin/trustnet upgrade')
    expect(states()).toEqual(names.map(() => ['9.0.3', 'healthy']))
    expect([installed(), current()]).toEqual([['9.0.1', '9.0.3'], '9.0.3'])
    expect(journals()).toEqual(['hal.json', 'tnr.json'])
  })

  it('an older program does not start on a newer configuration, and says so before anything is changed', () => {
    host.run('sed', '-i', 's/^configVersion: 2/configVersion: 3/', '/etc/trustnet/hal.yaml')
    const before = pids()
    expect(() => host.run('/opt/trustnet/9.0.1/bin/trustnet', 'upgrade')).toThrow(
      /configVersion: 3 is of a newer TrustNet/
    )
    expect([current(), pids()]).toEqual(['9.0.3', before])
    host.run('sed', '-i', 's/^configVersion: 3/configVersion: 2/', '/etc/trustnet/hal.yaml')
  })

  it('the way back is the upgrade of the version that was kept, also without a reader; a full disk is told', () => {
    const program = '/opt/trustnet/9.0.1/bin/trustnet'
    const unread = `${program} upgrade 2>&1 | true; echo "code $PIPESTATUS"`
    expect(host.run('bash', '-c', unread)).toContain('code 0')
    expect(states()).toEqual(names.map(() => ['9.0.1', 'healthy']))
    expect(current()).toBe('9.0.1')
    expect(journals()).toEqual(['hal.json', 'tnr.json'])
    const full = host.run('bash', '-c', `${program} upgrade 2>&1 >/dev/full; echo "code $?"`)
    expect(full).toMatch(/could not be written.*code 1\n/s)
  })

  it('install of a node that is there, with another version, is an upgrade; another node has to wait for one', () => {
    const program = programs.command('9.0.3')
    const other = ['install', '--yes', '--name', 'new', '--domain', 'example.test', '--trust-on-first-use']
    expect(() => host.run(program, ...other)).toThrow(
      /The nodes of this machine run 9\.0\.1: bring them to this version/
    )
    host.run(program, 'install', '--yes', '--name', 'hal')
    expect(states()).toEqual(names.map(() => ['9.0.3', 'healthy']))
  })

  it('uninstall of all nodes leaves no version behind', () => {
    for (const name of ['hal', 'tnr']) host.run('sh', '-c', `trustnet uninstall --purge --node ${name}`)
    const folders = ['etc/trustnet', 'opt/trustnet', 'var/lib/trustnet-install', 'var/lib/trustnet']
    const left = folders.flatMap((path) =>
      existsSync(join(root.path, path)) ? host.run('find', `/${path}`, '-ls') : []
    )
    expect(left).toEqual([])
  })
})
