import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RegistryStatusView } from '../../../src/node/api/registry-views.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { type Bind, startBind } from '../../helpers/servers/bind.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { FileRoot, whyNoFileRoots } from '../file-root.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'

const program = resolve('dist/bin/trustnet.js')
const name = 'tnr.example.test'

describeUnless(whyNoNamespaces() ?? whyNoFileRoots())('install that writes the record itself', () => {
  let network: HostNetwork
  let root: FileRoot
  let second: FileRoot
  let bind: Bind

  const env = { TRUSTNET_DNS_TSIG_KEY_FILE: '/tsig.key' }
  const flagsOf = (node: string): string[] => [
    'install',
    '--yes',
    '--name',
    node,
    '--deployment',
    'foreground',
    '--dns-provider',
    'rfc2136',
    '--dns-server',
    network.host('dns').address
  ]
  const start = async (host: string, label: string, file: FileRoot, ...more: string[]): Promise<string> => {
    const command = file.inside(process.execPath, program, ...flagsOf(host), ...more)
    const child = network.start(host, label, command, env)
    const log = (): string => network.log(host, label)
    const over = (): boolean => log().includes('The node runs under this command') || child.exitCode !== null
    await eventually(over, ceilingMs, log)
    return log()
  }

  beforeAll(async () => {
    if (!existsSync(program)) throw new Error('dist is missing: npm run build')
    network = new HostNetwork(['dns', 'root', 'second'])
    const { namespace, address } = network.host('dns')
    network.useNameServer(address)
    bind = await startBind({
      zone: 'example.test',
      records: ['tnr 60 IN AAAA 2001:db8::9'],
      host: { namespace, address }
    })
    root = new FileRoot()
    second = new FileRoot()
    // In the file root the temporary folder of this machine is seen as it was when the root was made.
    for (const file of [root, second]) writeFileSync(join(file.path, 'tsig.key'), bind.keyText, { mode: 0o600 })
  })

  afterAll(async () => {
    network?.[Symbol.dispose]()
    await bind?.[Symbol.asyncDispose]()
    root?.[Symbol.dispose]()
    second?.[Symbol.dispose]()
  })

  it('adds its address to those that are there, and uninstall takes that one away again', async () => {
    const { address } = network.host('root')
    await start('root', 'install', root, '--role', 'root', '--domain', 'example.test')
    expect(bind.dig(name, 'AAAA').toSorted()).toEqual(['2001:db8::9', address].toSorted())
    network.run('root', root.inside('trustnet', 'uninstall', '--purge'), env)
    expect(bind.dig(name, 'AAAA')).toEqual(['2001:db8::9'])
  })

  it('a second registry is published when the root has named it, and not while the root is away', async () => {
    const { address } = network.host('second')
    await start('root', 'again', root, '--role', 'root', '--domain', 'example.test')
    const ask = (host: string, file: FileRoot, ...args: string[]): string =>
      network.run(host, file.inside('trustnet', ...args))
    const invite = ask('root', root, 'invite', '--role', 'secondary').trim()
    network.cable('root', 'down')
    expect(await start('second', 'install', second, '--invite', invite)).toMatch(
      /warn {2}Registry set +the root has not named it/
    )
    expect(bind.dig(name, 'AAAA')).not.toContain(address)
    network.cable('root', 'up')
    // The same command goes on beside the process that it finds.
    const again = start('second', 'again', second, '--invite', invite)
    const named = (): boolean => {
      const view: RegistryStatusView = JSON.parse(ask('root', root, 'registry', 'status', '--json'))
      return view.registries.some((registry) => registry.name === 'second')
    }
    expect(named()).toBe(false)
    let early = false
    let over = false
    void again.finally(() => {
      over = true
    })
    await eventually(() => {
      const isPublished = bind.dig(name, 'AAAA').includes(address)
      early ||= isPublished && !named()
      return over
    })
    expect(early).toBe(false)
    expect(await again).toMatch(/pass {2}Registry set +named by the root, and tnr leads here/)
    expect(bind.dig(name, 'AAAA')).toContain(address)
  })
})
