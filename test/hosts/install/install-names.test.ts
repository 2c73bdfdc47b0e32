import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../../helpers/network.ts'
import { FileRoot, whyNoFileRoots } from '../file-root.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'
import { startNameServer } from '../name-server.ts'
import { SystemdHost, whyNoSystemd } from '../systemd-host.ts'

// By command alone: it fetches systemd-resolved, which no machine of tests may have installed, as it takes over the names of all.
const reason =
  process.env['TRUSTNET_LONG'] === '1'
    ? (whyNoNamespaces() ?? whyNoFileRoots() ?? whyNoSystemd())
    : 'TRUSTNET_LONG=1 runs it'

const program = resolve('dist/bin/trustnet.js')
const unit = 'trustnet-node-3-names.service'
const flags = ['--yes', '--role', 'root', '--domain', 'example.test', '--name', 'node-3']

/** Puts systemd-resolved into the file root, without the scripts that make it the machine's own. */
const addResolved = (root: string): void => {
  const folder = mkdtempSync(join(tmpdir(), 'trustnet-resolved-'))
  execFileSync('apt-get', ['download', '-q', 'systemd-resolved'], { cwd: folder, stdio: 'pipe' })
  for (const file of readdirSync(folder)) {
    const unpack = `dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink`
    execFileSync('sh', ['-ec', unpack, 'unpack', join(folder, file), root], { stdio: 'pipe' })
  }
  rmSync(folder, { recursive: true })
}

describe.skipIf(reason !== undefined)('names of members through a real systemd-resolved', () => {
  let network: HostNetwork
  let root: FileRoot
  let host: SystemdHost

  beforeAll(async () => {
    network = new HostNetwork(['rs'])
    const { namespace } = network.host('rs')
    network.useNameServer('127.0.0.53')
    // The stub of systemd-resolved has an address of IPv4: it does not start on a host that has none at all.
    network.run('rs', ['ip', 'address', 'add', '127.0.0.1/8', 'dev', 'lo'])
    root = new FileRoot()
    addResolved(root.path)
    // It makes a link of its own.
    host = await SystemdHost.boot(namespace, root, ['CAP_NET_ADMIN'])
    host.run('systemd-sysusers')
    host.run('systemctl', 'restart', 'dbus')
    host.run('systemctl', 'start', 'systemd-resolved')
    host.run(process.execPath, program, 'install', '--json', '--names', ...flags)
  })

  afterAll(async () => {
    await host?.[Symbol.asyncDispose]()
    root?.[Symbol.dispose]()
    network?.[Symbol.dispose]()
  })

  const link = (): string => host.run('resolvectl', 'status', 'tnames-8000')
  const pid = (): string => host.run('systemctl', 'show', '--value', '--property', 'MainPID', 'trustnet-node-3').trim()
  const isFound = (): boolean => host.run('sh', '-c', 'getent ahostsv6 node-3.example.test || true').includes('STREAM')

  it('getent and curl find a member by its name, and other names are not asked here', async () => {
    expect(host.run('systemctl', 'is-active', unit).trim()).toBe('active')
    expect(link()).toMatch(/DNS Servers: \[::1\]:8453/)
    expect(link()).toMatch(/DNS Domain: ~example\.test/)
    expect(link()).toMatch(/-DefaultRoute/)
    await eventually(isFound)
    host.run('sh', '-c', 'cd /srv && python3 -m http.server --bind :: 8080 >/dev/null 2>&1 & sleep 0')
    await eventually(() =>
      host.run('sh', '-c', 'curl -sg http://node-3.example.test:8080 || true').includes('Directory listing')
    )
    expect(host.run('sh', '-c', 'getent ahostsv6 nobody.example.test || echo none').trim()).toBe('none')
    expect(host.run('sh', '-c', 'resolvectl query www.example.com 2>&1 || true')).toMatch(/No appropriate name servers/)
    expect(host.run('sh', '-c', 'trustnet doctor || true')).toMatch(/pass {2}Names/)
  })

  it('a name that only the public zone has is found where the link to the Internet is asked for the domain as well', async () => {
    const { address } = network.host('rs')
    await startNameServer(network, 'rs', 'example.test', ['www IN AAAA 2001:db8::77'])
    const found = (name: string): string => host.run('sh', '-c', `getent ahostsv6 ${name}.example.test || echo none`)
    host.run('resolvectl', 'dns', 'eth0', address)
    host.run('resolvectl', 'default-route', 'eth0', 'yes')
    expect(found('www').trim()).toBe('none')
    host.run('resolvectl', 'domain', 'eth0', '~example.test')
    await eventually(() => found('www').includes('2001:db8::77'))
    expect(found('node-3')).toContain('STREAM')
    host.run('resolvectl', 'revert', 'eth0')
    await eventually(() => found('www').trim() === 'none')
  })

  it('goes with the node, comes back with it, and stays when systemd-resolved begins anew', async () => {
    host.run('systemctl', 'stop', 'trustnet-node-3')
    await eventually(() => host.run('sh', '-c', 'ip link show tnames-8000 2>&1 || true').includes('does not exist'))
    host.run('systemctl', 'start', 'trustnet-node-3')
    await eventually(isFound)
    host.run('systemctl', 'restart', 'systemd-resolved')
    await eventually(isFound)
    const before = pid()
    host.run('systemctl', 'kill', '--signal=KILL', 'trustnet-node-3')
    await eventually(() => !['0', before].includes(pid()) && isFound())
  })

  it('uninstall takes it back', () => {
    host.run('trustnet', 'uninstall', '--purge')
    expect(host.run('sh', '-c', 'ip link show tnames-8000 2>&1 || true')).toContain('does not exist')
    expect(host.run('sh', '-c', `systemctl cat ${unit} 2>&1 || true`)).toContain('No files found')
    expect(host.run('sh', '-c', 'getent ahostsv6 node-3.example.test || echo none').trim()).toBe('none')
  })
})
