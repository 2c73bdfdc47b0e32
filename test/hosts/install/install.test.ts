import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { PeersView } from '../../../src/node/api/control-api.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { expectSchema } from '../../helpers/schemas.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { FileRoot, whyNoFileRoots } from '../file-root.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'
import { startNameServer } from '../name-server.ts'
import { Release } from '../release.ts'

const describeHere = describeUnless(whyNoNamespaces() ?? whyNoFileRoots())

const killed = resolve('dist/test/hosts/install/killed-install.js')
const domain = 'example.test'
/** Without the folders that brought the Node of these tests. */
const bare = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }
const machines = ['root', 'second', 'a', 'b']

describeHere('install from an unpacked release on machines without Node', () => {
  let network: HostNetwork
  let release: Release
  const roots = new Map<string, FileRoot>()
  const labels = new Map<string, string>()

  const rootOf = (host: string): FileRoot => {
    const root = roots.get(host)
    if (root === undefined) throw new Error(`no file root for ${host}`)
    return root
  }
  const run = (host: string, ...command: string[]): string => network.run(host, rootOf(host).inside(...command), bare)
  /** A command line as it was printed. */
  const shell = (host: string, line: string): string => run(host, 'sh', '-c', line)
  /** From the release, as long as nothing is installed. */
  const trustnet = (host: string, ...args: string[]): string => run(host, release.command, ...args)
  const log = (host: string): string => network.log(host, String(labels.get(host)))
  /** Runs until the machine is given back: the node is in the foreground. Resolves with what was printed, when it is ready. */
  const install = async (host: string, ...args: string[]): Promise<string> => {
    const command = [release.command, 'install', '--yes', '--deployment', 'foreground', '--name', host, ...args]
    labels.set(host, `install-${labels.size}-${performance.now()}`)
    const child = network.start(host, String(labels.get(host)), rootOf(host).inside(...command), bare)
    await eventually(() => log(host).includes('The node runs under this command') || child.exitCode !== null)
    if (child.exitCode !== null) throw new Error(log(host))
    return log(host)
  }
  /** The command behind a line of the card. */
  const next = (host: string, what: string): string => {
    const line = log(host)
      .split('\n')
      .find((one) => one.startsWith(`  ${what}  `))
    return line?.slice(2 + what.length).trim() ?? ''
  }
  // Below /run are also the namespaces and services of whatever else runs on this machine meanwhile.
  const listing = (host: string): string =>
    shell(
      host,
      "find /etc /opt /usr/local/bin /usr/local/share/man /var/lib /run /home -xdev -path /etc/netns -prune -o -path '/run/*' -not -path '/run/trustnet*' -prune -o -path /var/lib/dpkg -prune -o -path /var/lib/apt -prune -o -printf '%p %m %u %g %y %l\\n' 2>/dev/null | sort"
    )
      .split('\n')
      // Copies of useradd, and its lock; node's own compile cache is in no home.
      .filter((line) => !/^\/etc\/(passwd-|group-|shadow-|gshadow-|subuid-|subgid-|\.pwd\.lock) /.test(line))
      .join('\n')

  beforeAll(async () => {
    if (!existsSync(killed)) throw new Error('dist is missing: npm run build')
    release = new Release()
    network = new HostNetwork(['dns', ...machines])
    network.useNameServer(network.host('dns').address)
    await startNameServer(network, 'dns', domain, [`tnr IN AAAA ${network.host('root').address}`])
    for (const name of machines) {
      const root = new FileRoot()
      root.removeNode()
      roots.set(name, root)
    }
  })

  afterAll(() => {
    network?.[Symbol.dispose]()
    for (const root of roots.values()) root[Symbol.dispose]()
    release?.[Symbol.dispose]()
  })

  it('there is no Node on these machines', () => {
    for (const host of machines) expect(() => shell(host, 'command -v node')).toThrow(/Command failed/)
    expect(trustnet('a', 'version')).toMatch(/^trustnet \d+\.\d+\.\d+, commit /)
  })

  it('says what is missing, by the name of its flag, and asks nothing', () => {
    expect(() => trustnet('a', 'install', '--yes')).toThrow(
      /--domain is missing.*\n.*--invite, --network or --trust-on-first-use is missing/
    )
  })

  it('prints the whole plan and changes nothing', () => {
    const before = listing('a')
    const plan = trustnet('a', 'install', '--plan', '--role', 'root', '--domain', domain, '--deployment', 'foreground')
    expect(plan).toContain('file /etc/trustnet/')
    expect(plan).toContain('system user and group trustnet')
    expect(listing('a')).toBe(before)
    const flags = ['--role', 'root', '--domain', domain, '--deployment', 'foreground']
    expectSchema('install-plan', JSON.parse(trustnet('a', 'install', '--plan', '--json', ...flags)))
  })

  it('without systemd names what to choose instead', () => {
    const args = ['install', '--yes', '--role', 'root', '--domain', domain]
    expect(() => trustnet('a', ...args)).toThrow(/systemd is not the init.*--deployment foreground/)
  })

  it('a registry is refused when its port is taken, with who has it; a user who is not root is refused', async () => {
    const listener = "require('net').createServer().listen({ host: '::', port: 8000 }, () => console.log('listens'))"
    const child = network.start('a', 'listener', [process.execPath, '-e', listener])
    await eventually(() => network.log('a', 'listener').includes('listens'))
    const args = ['install', '--yes', '--role', 'root', '--domain', domain, '--deployment', 'foreground']
    expect(() => trustnet('a', ...args)).toThrow(/Port 8000: \w+ \(pid \d+\) listens there already/)
    child.kill()
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', release.command, ...args]
    expect(() => run('a', ...nobody)).toThrow(
      /Rights: an install writes to .*this is user 65534\. Fix: run it with sudo/
    )
  })

  it('a disk that is too small is refused with how much is needed, and nothing is changed', () => {
    const before = listing('a')
    const flags = '--yes --role root --domain example.test --deployment foreground'
    // In the mount namespace of this one command.
    const line = `mount -t tmpfs -o size=64m none /opt && exec ${release.command} install ${flags}`
    expect(() => shell('a', line)).toThrow(/Nothing was changed, because:\n.*Disk: 64 MiB free, 1024 MiB are needed/)
    expect(listing('a')).toBe(before)
  })

  it('opens the port of a firewall that closes it, and closes it again', async () => {
    const ruleset = (): string => network.run('b', ['nft', 'list', 'ruleset'])
    network.run('b', [
      'nft',
      'add table inet f; add chain inet f in { type filter hook input priority 0; policy drop; }'
    ])
    network.run('b', ['nft', 'add rule inet f in iifname lo accept'])
    const before = ruleset()
    await install('b', '--role', 'root', '--domain', 'b.example.test', '--open-firewall')
    expect(ruleset()).toContain('tcp dport 8000 accept comment "trustnet 8000"')
    shell('b', 'trustnet uninstall --purge')
    expect(ruleset()).toBe(before)
    network.run('b', ['nft', 'delete table inet f'])
  })

  it.each(['root', 'secondary', 'integrated'])(
    'killed at any step and run again a %s comes to its end, and can be taken back',
    (role) => {
      const before = listing('a')
      const kills: string[] = []
      for (let at = 1; at <= 100; at++) {
        try {
          run('a', process.execPath, killed, String(at), role)
          break
        } catch (error) {
          const { signal, stdout } = error as { signal?: string; stdout?: string }
          if (signal !== 'SIGKILL') throw error
          kills.push(String(stdout).trim())
        }
      }
      expect(kills.includes('network begun')).toBe(role === 'root')
      expect(kills).toContain('program begun')
      expect(kills).toContain('foreground done')
      expect(kills).toEqual(kills.filter((line) => /^\w+ (begun|done)$/.test(line)))
      expect(shell('a', 'trustnet config check --config /etc/trustnet/killed.yaml')).toContain(
        `valid (killed, ${role}, example.test)`
      )
      if (role === 'root') expect(shell('a', 'grep networkId /etc/trustnet/killed.yaml')).toMatch(/networkId: tn/)
      expect(shell('a', 'trustnet uninstall --node killed --purge')).toMatch(
        /killed is uninstalled. Its PeerId was 12D3KooW/
      )
      expect(listing('a')).toBe(before)
    }
  )

  it('root, secondary and two nodes, one after the other with the printed commands', async () => {
    const card = await install('root', '--role', 'root', '--domain', domain)
    expect(card).toMatch(/Passphrase +([0-9a-f]{4}-){7}[0-9a-f]{4}/)
    const second = shell('root', next('root', 'Add a registry')).trim()
    await install('second', '--invite', second)
    for (const name of ['a', 'b']) await install(name, '--invite', shell('root', next('root', 'Add a machine')).trim())
    for (const name of machines) {
      await eventually(() => {
        const view: PeersView = JSON.parse(shell(name, `${next(name, 'Who is there')} --json`))
        return view.counts.online === machines.length
      })
    }
  })

  it('a second node on the same machine works beside the first, which stays when it goes', async () => {
    const line = shell('root', next('root', 'Add a machine')).trim()
    const args = ['install', '--yes', '--deployment', 'foreground', '--name', 'a2', '--port', '9100', '--invite', line]
    const child = network.start('a', 'a2', rootOf('a').inside(release.command, ...args), bare)
    await eventually(() => {
      const view: PeersView = JSON.parse(shell('a', 'trustnet peers --node a --json'))
      return view.peers.some(({ name, state }) => name === 'a2' && state === 'online')
    })
    expect(shell('a', 'trustnet uninstall --node a2 --purge')).toContain('a2 is uninstalled')
    await eventually(() => child.exitCode !== null)
    expect(child.exitCode).toBe(0)
    expect(shell('a', 'trustnet status --node a')).toContain('healthy')
  })

  it('doctor finds nothing wrong with an installed node', () => {
    const report = shell('b', next('b', 'Check it'))
    expect(report).toMatch(/pass {2}Membership/)
    expect(report).not.toMatch(/^ {2}fail/m)
    expectSchema('doctor', JSON.parse(shell('b', `${next('b', 'Check it')} --json`)))
    expectSchema('uninstall-plan', JSON.parse(shell('b', 'trustnet uninstall --plan --json')))
  })

  it('a node whose root is away is installed all the same, and joins when it is back', async () => {
    // Its old key is thrown away with --purge, and the name is taken over.
    const line = shell('root', `${next('root', 'Add a machine')} --replace b`).trim()
    expectSchema('uninstall', JSON.parse(shell('b', 'trustnet uninstall --purge --json')))
    network.cable('root', 'down')
    network.cable('second', 'down')
    const card = await install('b', '--invite', line)
    expect(card).toMatch(/warn {2}Membership/)
    network.cable('root', 'up')
    network.cable('second', 'up')
    await eventually(
      () => shell('b', 'trustnet status --json').includes('"state": "member"'),
      ceilingMs,
      () => shell('b', 'trustnet status')
    )
  })

  it('uninstall without --purge keeps the keys and tells the PeerId; the same node comes back', async () => {
    const peerId = (): string => String(/12D3KooW\w+/.exec(shell('a', 'trustnet identity'))?.[0])
    const before = peerId()
    expect(shell('a', 'trustnet uninstall')).toContain(`Its PeerId is ${before}`)
    expect(shell('a', 'stat -c "%U %a" /var/lib/trustnet/a')).toBe('root 700\n')
    await install('a', '--domain', domain, '--trust-on-first-use')
    expect(peerId()).toBe(before)
  })
})
