import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bind, startBind } from '../helpers/bind.ts'
import { eventually } from '../helpers/network.ts'
import { FileRoot, whyNoFileRoots } from './file-root.ts'
import { HostNetwork, whyNoNamespaces } from './host-network.ts'

const reason = whyNoNamespaces() ?? whyNoFileRoots()
// In CI a machine that cannot do it is a failure; elsewhere it is said and skipped.
const skipped = reason !== undefined && process.env['CI'] !== 'true'
if (skipped) process.stderr.write(`test/hosts/install-dns is skipped: ${reason}\n`)

const program = resolve('dist/bin/trustnet.js')
const name = 'tnr.example.test'

describe.skipIf(skipped)('install that writes the record itself', () => {
  let network: HostNetwork
  let root: FileRoot
  let bind: Bind

  beforeAll(async () => {
    if (reason !== undefined) throw new Error(`CI must be able to make hosts with file roots: ${reason}`)
    if (!existsSync(program)) throw new Error('dist is missing: npm run build')
    network = new HostNetwork(['dns', 'root'])
    const { namespace, address } = network.host('dns')
    network.useNameServer(address)
    bind = await startBind({
      zone: 'example.test',
      records: ['tnr 60 IN AAAA 2001:db8::9'],
      host: { namespace, address }
    })
    root = new FileRoot()
  }, 60_000)

  afterAll(async () => {
    network?.[Symbol.dispose]()
    await bind?.[Symbol.asyncDispose]()
    root?.[Symbol.dispose]()
  })

  it('adds its address to those that are there, and uninstall takes that one away again', async () => {
    const { address } = network.host('root')
    // In the file root the temporary folder of this machine is seen as it was when the root was made.
    writeFileSync(join(root.path, 'tsig.key'), bind.keyText, { mode: 0o600 })
    const env = { TRUSTNET_DNS_TSIG_KEY_FILE: '/tsig.key' }
    const dns = ['--dns-provider', 'rfc2136', '--dns-server', network.host('dns').address]
    const flags = [
      '--yes',
      '--registry-type',
      'root',
      '--domain',
      'example.test',
      '--node-name',
      'r',
      '--deployment',
      'foreground'
    ]
    const child = network.start(
      'root',
      'install',
      root.inside(process.execPath, program, 'install', ...flags, ...dns),
      env
    )
    const log = (): string => network.log('root', 'install')
    await eventually(() => log().includes('The node runs under this command') || child.exitCode !== null, 90_000, log)
    expect(bind.dig(name, 'AAAA').toSorted()).toEqual(['2001:db8::9', address].toSorted())
    network.run('root', root.inside('trustnet', 'uninstall', '--purge'), env)
    expect(bind.dig(name, 'AAAA')).toEqual(['2001:db8::9'])
  }, 150_000)
})
