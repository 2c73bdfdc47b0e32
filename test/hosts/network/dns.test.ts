import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { startBind } from '../../helpers/servers/bind.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'

const domain = 'example.test'
const name = `tnr.${domain}`
const program = resolve('dist/bin/trustnet.js')

describeUnless(whyNoNamespaces())('dns set on a host whose zone is at a real name server', () => {
  it('writes there and asks the servers that the zone names', async () => {
    if (!existsSync(program)) throw new Error('dist is missing: npm run build')
    using network = new HostNetwork(['dns', 'op'])
    const host = network.host('dns')
    // The second name server of the zone is not there.
    const records = ['@ IN NS ns2', 'ns2 IN AAAA fd10:7a11:5e7:1::99', 'tnr IN AAAA 2001:db8::1']
    await using bind = await startBind({ zone: domain, records, host })
    network.useNameServer(host.address)
    const { folder } = network.host('op')
    writeFileSync(join(folder, 'key'), bind.keyText, { mode: 0o600 })
    const env = { TRUSTNET_HOME: folder, TRUSTNET_DNS_TSIG_KEY_FILE: join(folder, 'key') }
    const args = ['dns', 'set', '--domain', domain, '--provider', 'rfc2136', '--server', host.address, '--json']
    const out = network.run('op', [process.execPath, program, ...args, '--add', '2001:db8::2'], env)
    expect(JSON.parse(out)).toMatchObject({ state: 'published', values: ['2001:db8::1', '2001:db8::2'] })
    expect(bind.dig(name, 'AAAA').toSorted()).toEqual(['2001:db8::1', '2001:db8::2'])
  })
})
