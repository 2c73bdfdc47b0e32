import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'
import { startNameServer } from '../name-server.ts'

describeUnless(whyNoNamespaces())('a resolver that a router advertised', () => {
  it('is asked at its link-local address, over the interface that is named', async () => {
    using network = new HostNetwork(['dns', 'op'])
    network.run('dns', ['ip', 'addr', 'add', 'fe80::53/64', 'dev', 'eth0', 'nodad'])
    network.run('op', ['ip', 'addr', 'add', 'fe80::99/64', 'dev', 'eth0', 'nodad'])
    // More than fits into a datagram: the rest is asked for over TCP.
    const values = Array.from({ length: 100 }, (_, number) => `2001:db8::${(number + 1).toString(16)}`)
    const records = values.map((value) => `tnr IN AAAA ${value}`)
    await startNameServer(network, 'dns', 'example.test', records, ['::@53'])
    const code = `import { lookupTnr } from '${resolve('dist/src/dns/tnr.js')}'
      const answer = await lookupTnr('example.test', { servers: ['fe80::53%eth0'] })
      console.log(JSON.stringify(answer))`
    const out = network.run('op', [process.execPath, '--input-type=module', '-e', code])
    const answer: { kind: string; addresses: { address: string }[] } = JSON.parse(out)
    expect(answer.kind).toBe('found')
    expect(answer.addresses.map(({ address }) => address).toSorted()).toEqual(values.toSorted())
  })
})
