import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { PeersView } from '../../../src/node/api/control-api.ts'
import { eventually } from '../../helpers/network.ts'
import { expectSchema } from '../../helpers/schemas.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { DockerHost, whyNoDocker } from '../docker-host.ts'
import { FileRoot, whyNoFileRoots } from '../file-root.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'
import { startNameServer } from '../name-server.ts'

const program = resolve('dist/bin/trustnet.js')
const domain = 'example.test'

describeUnless(whyNoNamespaces() ?? whyNoFileRoots() ?? whyNoDocker())('install with an engine', () => {
  let network: HostNetwork
  let root: FileRoot
  let engine: DockerHost | undefined

  const run = (...command: string[]): string => network.run('m', root.inside(...command), {}, undefined, 300_000)
  const shell = (line: string): string => run('sh', '-c', line)
  const install = (...args: string[]): string => run(process.execPath, program, 'install', '--yes', ...args)
  const listing = (): string =>
    shell(
      "find /etc /opt /usr/local/bin /usr/local/share/man /var/lib /run/trustnet* -xdev -path /etc/netns -prune -o -path /var/lib/docker -prune -o -path /var/lib/dpkg -prune -o -printf '%p %m %u %g %y %l\\n' 2>/dev/null | sort"
    )
      .split('\n')
      .filter((line) => !/^\/etc\/(passwd-|group-|shadow-|gshadow-|subuid-|subgid-|\.pwd\.lock|docker) /.test(line))
      .join('\n')
  /** 0 while nothing answers. */
  const online = (node: string): number => {
    const view: PeersView = JSON.parse(shell(`trustnet peers --node ${node} --json || echo '{"counts":{}}'`))
    return view.counts.online ?? 0
  }
  const inspect = (node: string, format: string): string =>
    run('docker', 'inspect', `trustnet-${node}`, '--format', format).trim()
  /** JavaScript inside a container. */
  const inside = (node: string, code: string): string => run('docker', 'exec', `trustnet-${node}`, 'node', '-e', code)

  beforeAll(async () => {
    if (!existsSync(program)) throw new Error('dist is missing: npm run build')
    network = new HostNetwork(['dns', 'm'])
    network.useNameServer(network.host('dns').address)
    await startNameServer(network, 'dns', domain, [`tnr IN AAAA ${network.host('m').address}`])
    root = new FileRoot()
  })

  afterAll(async () => {
    await engine?.[Symbol.asyncDispose]()
    network?.[Symbol.dispose]()
    root?.[Symbol.dispose]()
  })

  it('without an engine it is refused with what to do, and writes its files when that is asked for', async () => {
    const flags = ['--deployment', 'docker', '--role', 'root', '--domain', domain, '--name', 'root']
    expect(() => install(...flags)).toThrow(/no Docker engine answers here\. Fix: install one .*--start=false/)
    const before = listing()
    const card = install(...flags, '--start=false')
    expect(card).toContain('not started: its files are written')
    expect(card).toContain('trustnet install --name root --start')
    expect(shell('cat /etc/trustnet-docker/root/compose.yaml')).toMatch(/user: '\d+:\d+'/)
    shell('trustnet uninstall --purge')
    expect(listing()).toBe(before)
    const json: unknown = JSON.parse(install(...flags, '--start=false', '--json'))
    expectSchema('install', json)
    expect(json).toMatchObject({ node: { status: 'not started', peerId: null } })
  })

  it('starts what was written, builds its image from the installed program, and the node is a member', async () => {
    engine = await DockerHost.start(network.host('m').namespace, root, run)
    engine.importBase('debian:bookworm-slim')
    expect(install('--name', 'root', '--start')).toMatch(/Status +healthy \(member\)/)
    const line = shell('trustnet invite --node root').trim()
    expect(install('--deployment', 'docker', '--name', 'a', '--invite', line)).toMatch(/Registry +root/)
    await eventually(() => online('root') === 2 && online('a') === 2)
  })

  it('runs as nobody special, on a file system that it cannot write to, and its own health check passes', async () => {
    expect(inside('a', 'console.log(process.getuid() > 0)').trim()).toBe('true')
    expect(() => inside('a', "require('fs').writeFileSync('/x', '')")).toThrow(/EROFS/)
    expect(inspect('a', '{{.HostConfig.CapDrop}} {{.HostConfig.RestartPolicy.Name}}')).toBe('[ALL] unless-stopped')
    const check = run('docker', 'inspect', 'trustnet-a', '--format', '{{json .Config.Healthcheck.Test}}')
    const [, ...command] = JSON.parse(check) as string[]
    await eventually(() => run('docker', 'exec', 'trustnet-a', ...command).includes('healthy'))
  })

  it('comes back as the same member after its process was killed', async () => {
    process.kill(Number(inspect('a', '{{.State.Pid}}')), 'SIGKILL')
    await eventually(() => Number(inspect('a', '{{.RestartCount}}')) > 0 && online('a') === 2)
  })

  it('can be installed again, and is taken back with its container and its image', () => {
    expect(install('--name', 'a')).toMatch(/Status +healthy/)
    for (const node of ['a', 'root']) shell(`trustnet uninstall --node ${node} --purge`)
    expect(run('docker', 'ps', '--all', '--quiet')).toBe('')
    expect(run('docker', 'images', '--format', '{{.Repository}}').trim()).toBe('debian')
    expect(shell('ls -d /etc/trustnet* /opt/trustnet* /var/lib/trustnet* /run/trustnet* 2>/dev/null || true')).toBe('')
  })
})
