import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { StatusView } from '../../../src/node/api/control-api.ts'
import { eventually } from '../../helpers/network.ts'
import { expectSchema } from '../../helpers/schemas.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { FileRoot, whyNoFileRoots } from '../file-root.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'
import { SystemdHost, whyNoSystemd } from '../systemd-host.ts'

const program = resolve('dist/bin/trustnet.js')
const unit = 'trustnet-tnr.service'

describeUnless(whyNoNamespaces() ?? whyNoFileRoots() ?? whyNoSystemd())('install where systemd is the init', () => {
  let network: HostNetwork
  let root: FileRoot
  let host: SystemdHost
  let before = ''
  let card: unknown

  const show = (property: string): string =>
    host.run('systemctl', 'show', '--value', '--property', property, unit).trim()
  const mainPid = (): string => show('MainPID')
  const status = (): StatusView => JSON.parse(host.run('trustnet', 'status', '--json'))
  const listing = (): string =>
    host
      .run(
        'sh',
        '-c',
        "find /etc /opt /usr/local/bin /usr/local/share/man /var/lib /home /run/trustnet* -xdev -path /etc/netns -prune -o -path /var/lib/dpkg -prune -o -path /var/lib/systemd -prune -o -printf '%p %m %u %g %y %l\\n' 2>/dev/null | sort"
      )
      .split('\n')
      .filter((line) => !/^\/etc\/(passwd-|group-|shadow-|gshadow-|subuid-|subgid-|\.pwd\.lock) /.test(line))
      .join('\n')

  beforeAll(async () => {
    if (!existsSync(program)) throw new Error('dist is missing: npm run build')
    network = new HostNetwork(['sd'])
    network.useNameServer(network.host('sd').address)
    root = new FileRoot()
    host = await SystemdHost.boot(network.host('sd').namespace, root)
    before = listing()
    const flags = ['--yes', '--role', 'root', '--domain', 'example.test', '--name', 'tnr']
    card = JSON.parse(host.run(process.execPath, program, 'install', '--json', ...flags))
  })

  afterAll(async () => {
    await host?.[Symbol.asyncDispose]()
    root?.[Symbol.dispose]()
    network?.[Symbol.dispose]()
  })

  it('runs as a service that starts at boot, as its own user, and has said that it is ready', () => {
    expect([show('ActiveState'), show('UnitFileState'), show('User')]).toEqual(['active', 'enabled', 'trustnet-tnr'])
    expect(show('StatusText')).toBe('root tnr')
    expect(status().word).toBe('healthy')
    expectSchema('install', card)
  })

  it('systemd finds nothing to say about the unit, and its exposure is at most 2.0', () => {
    const verified = host.run('sh', '-c', `systemd-analyze verify --man=no /etc/systemd/system/${unit} 2>&1`)
    expect(verified).toBe('')
    expect(host.run('systemd-analyze', 'security', '--no-pager', '--threshold=20', unit)).toMatch(/exposure level.*OK/)
  })

  it('comes back when it is killed', async () => {
    const pid = mainPid()
    host.run('kill', '-9', pid)
    await eventually(() => mainPid() !== pid && mainPid() !== '0' && show('ActiveState') === 'active')
    expect(status().word).toBe('healthy')
  })

  it('is restarted by the watchdog when it is frozen', async () => {
    host.run(
      'sh',
      '-c',
      `mkdir -p /run/systemd/system/${unit}.d && printf '[Service]\\nWatchdogSec=2\\nTimeoutAbortSec=2\\n' > /run/systemd/system/${unit}.d/watchdog.conf`
    )
    host.run('systemctl', 'daemon-reload')
    host.run('systemctl', 'restart', unit)
    const pid = mainPid()
    host.run('kill', '-STOP', pid)
    await eventually(() => mainPid() !== pid && mainPid() !== '0' && show('ActiveState') === 'active')
    expect(host.run('journalctl', '--no-pager', '-u', unit)).toMatch(/Watchdog timeout/)
    host.run('rm', '-r', `/run/systemd/system/${unit}.d`)
    host.run('systemctl', 'daemon-reload')
  })

  it('doctor finds no fault', () => {
    const report = host.run('sh', '-c', 'trustnet doctor || true')
    expect(report).toMatch(/pass {2}Key file/)
    expect(report).not.toMatch(/^ {2}fail/m)
  })

  it('a backup to where a service must not write says where it may', () => {
    expect(() => host.run('trustnet', 'registry', 'backup', '--to', '/root/registry.db')).toThrow(
      /must not write \/root\/registry\.db: a service writes below its data folder alone\. Leave --to out/
    )
    expect(host.run('trustnet', 'registry', 'backup')).toContain('/var/lib/trustnet/tnr/backups/')
    expect(
      host.run('sh', '-c', 'trustnet registry diff /var/lib/trustnet/tnr/backups/*.db; ls -A /var/lib/trustnet/tnr')
    ).not.toContain('.for-')
  })

  it('a root that comes back with its data keeps its network, and shows no passphrase that opens nothing', () => {
    const { peerId } = status().self
    host.run('trustnet', 'uninstall')
    const flags = ['--yes', '--role', 'root', '--domain', 'example.test', '--name', 'tnr']
    card = JSON.parse(host.run(process.execPath, program, 'install', '--json', ...flags))
    expect(card).toMatchObject({ node: { peerId, status: 'healthy' }, recoveryKit: null })
  })

  it('an install comes to its end without a reader, and shows again what nobody has read', () => {
    const journal = (name: string): { finished: boolean; passphrase: string | null } =>
      JSON.parse(host.run('cat', `/var/lib/trustnet-install/${name}.json`))
    const unread = (flags: string): number =>
      Number(
        host.run(
          'sh',
          '-c',
          `{ trustnet install --yes ${flags} 2>&1; echo $? > /root/code; } | head -n 1 >/dev/null; cat /root/code`
        )
      )
    const node = unread('--name two --domain example.test --trust-on-first-use --verbose')
    expect([node, journal('two').finished]).toEqual([0, true])
    expect(host.run('systemctl', 'is-active', 'trustnet-two').trim()).toBe('active')
    const flags = '--name three --domain three.test --role root --deployment docker --start=false --port 8123'
    expect([unread(flags), journal('three')]).toMatchObject([
      1,
      { finished: true, passphrase: expect.stringMatching(/-/) }
    ])
    const { passphrase } = journal('three')
    const piped = host.run('sh', '-c', `trustnet install --yes ${flags} 2>&1 | cat`)
    expect(piped).toContain(`Passphrase    ${passphrase}`)
    expect(piped).toContain('A pipe does not tell')
    const again = `trustnet install --yes ${flags} >/root/card && cat /root/card && rm /root/card`
    expect(host.run('sh', '-c', again)).toContain(`Passphrase    ${passphrase}`)
    expect(journal('three').passphrase).toBeNull()
    for (const name of ['two', 'three']) host.run('trustnet', 'uninstall', '--purge', '--node', name)
  })

  it('a node that shares a user with others, as older versions had it, gets one of its own by the same install', () => {
    const { peerId } = status().self
    const journal = '/var/lib/trustnet-install/tnr.json'
    const script = [
      `systemctl stop ${unit} && useradd --system --user-group --no-create-home trustnet`,
      'userdel trustnet-tnr && rm -rf /run/trustnet && mkdir /run/trustnet',
      'chown -R trustnet: /var/lib/trustnet /etc/trustnet /run/trustnet && chmod 750 /var/lib/trustnet /etc/trustnet',
      "sed -i 's,/run/trustnet/tnr,/run/trustnet,' /etc/trustnet/tnr.yaml",
      `sed -i 's,=trustnet/tnr$,=trustnet,; s,=trustnet-tnr$,=trustnet,' /etc/systemd/system/${unit}`,
      `sed -i 's,"trustnet-tnr","trustnet",; s,/run/trustnet/tnr,/run/trustnet,g' ${journal}`,
      `systemctl daemon-reload && systemctl start ${unit}`
    ]
    // What else the node of an older version could do: to name other folders in its configuration.
    const lie = "sed -i 's,data: /var/lib/trustnet/tnr,data: /etc,' /etc/trustnet/tnr.yaml"
    host.run('sh', '-ec', [...script, lie].join('\n'))
    expect(show('User')).toBe('trustnet')
    host.run('trustnet', 'install', '--yes', '--name', 'tnr')
    expect([show('User'), status().word, status().self.peerId]).toEqual(['trustnet-tnr', 'healthy', peerId])
    const owners = host.run(
      'stat',
      '-c',
      '%U %a',
      '/etc/trustnet',
      '/var/lib/trustnet',
      '/run/trustnet',
      '/var/lib/trustnet/tnr'
    )
    expect(owners).toBe('root 755\nroot 755\nroot 755\ntrustnet-tnr 700\n')
    expect(host.run('find', '/var/lib/trustnet/tnr', '/etc/trustnet', '-user', 'trustnet')).toBe('')
    expect(host.run('cat', '/etc/trustnet/tnr.yaml')).toContain('data: /var/lib/trustnet/tnr')
    host.run('userdel', 'trustnet')
  })

  it('uninstall leaves the machine as it was', () => {
    expect(host.run('trustnet', 'uninstall', '--purge')).toMatch(/tnr is uninstalled. Its PeerId was 12D3KooW/)
    expect(listing()).toBe(before)
    expect(host.run('sh', '-c', `systemctl status ${unit} 2>&1 || true`)).toContain('could not be found')
  })
})
