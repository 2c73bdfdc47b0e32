import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { memberAddress } from '../../../src/address/ipv6.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { digAt } from '../../helpers/commands/dig.ts'
import { testWith } from '../../helpers/commands/tool.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

const run = promisify(execFile)

let network: TestNetwork
let asker: TrustNode
let port = 0

beforeAll(async () => {
  network = await TestNetwork.create()
  asker = await network.join('asker', { 'dns.listen': '[::1]:0' })
  await network.join('node-3', { services: [{ name: 'web', port: 8080, protocol: 'tcp', tags: ['a'] }] })
  await network.join('node-4', {
    services: [
      { name: 'dns', port: 53, protocol: 'udp' },
      { name: 'web', port: 8081, protocol: 'tcp' }
    ]
  })
  await eventually(() => asker.network?.names?.address !== undefined)
  port = Number(asker.network?.names?.address?.split(':').at(-1))
  await eventually(async () => (await short('_web._tcp.net.test', 'SRV')).length === 2)
})
afterAll(() => network[Symbol.asyncDispose]())

const dig = (...args: string[]) => digAt(port).dig(...args)
const short = (...args: string[]) => digAt(port).short(...args)
const statusOf = (...args: string[]) => digAt(port).status(...args)

describe('names of members, asked with dig', () => {
  testWith('dig')('a member has its addresses, over UDP and TCP, in any case; another type has no data', async () => {
    for (const extra of [[], ['+tcp'], ['+noedns']]) {
      expect(await short('node-3.net.test', 'AAAA', ...extra)).toEqual(['::1'])
    }
    expect(await short('NODE-3.Net.Test', 'AAAA')).toEqual(['::1'])
    expect(await dig('nOdE-3.nEt.TeSt', 'AAAA')).toMatch(
      /;nOdE-3\.nEt\.TeSt\.\s+IN\s+AAAA\n[\s\S]*nOdE-3\.nEt\.TeSt\.\s+\d+\s+IN/
    )
    expect(await dig('node-3.net.test', 'AAAA', '+dnssec')).toMatch(/EDNS: version: 0, flags: do;/)
    expect(await short('asker.net.test', 'AAAA')).toEqual(['::1'])
    const [, ttl] = /node-3\.net\.test\.\s+(\d+)\s+IN\s+AAAA\s+::1/.exec(await dig('node-3.net.test', 'AAAA')) ?? []
    expect(Number(ttl)).toBeGreaterThanOrEqual(5)
    expect(Number(ttl)).toBeLessThanOrEqual(30)
    const none = await dig('node-3.net.test', 'A')
    expect(none).toMatch(/status: NOERROR/)
    expect(none).toMatch(/flags: qr aa rd; QUERY: 1, ANSWER: 0, AUTHORITY: 1/)
    expect(none).toMatch(/net\.test\.\s+5\s+IN\s+SOA\s.* 5\n/)
    for (const type of ['CNAME', 'HTTPS', 'TYPE64999']) {
      expect(await dig('node-3.net.test', type)).toMatch(/status: NOERROR.*\n.*ANSWER: 0, AUTHORITY: 1/)
    }
    expect(await short('node-3.net.test', 'ANY', '+notcp')).toEqual(['::1'])
  })

  testWith('dig')('a service has its members with ports and addresses', async () => {
    const whole = await dig('_web._tcp.net.test', 'SRV')
    expect(whole).toMatch(/SRV\s+10 1 8080 node-3\.net\.test\./)
    expect(whole).toMatch(/SRV\s+10 1 8081 node-4\.net\.test\./)
    expect(whole).toMatch(/ADDITIONAL SECTION:\nnode-[34]\.net\.test\.\s+\d+\s+IN\s+AAAA\s+::1/)
    expect(await short('_dns._udp.net.test', 'SRV')).toEqual(['10 1 53 node-4.net.test.'])
    expect(await statusOf('_dns._tcp.net.test', 'SRV')).toBe('NXDOMAIN')
    expect(await statusOf('_none._tcp.net.test', 'SRV')).toBe('NXDOMAIN')
  })

  testWith('dig')(
    "an address of the network has its members' names, also the one that follows from a key",
    async () => {
      const { networkId } = asker.registry
      const own = memberAddress(networkId, network.node('node-3').key.publicKey)
      expect(await short('-x', own)).toEqual(['node-3.net.test.'])
      expect((await short('-x', '::1')).toSorted()).toEqual(
        ['asker', 'node-3', 'node-4', 'root'].map((name) => `${name}.net.test.`)
      )
      const other = memberAddress(networkId, asker.registry.networkId)
      expect(await statusOf('-x', other)).toBe('NXDOMAIN')
      expect(await statusOf('-x', '2001:db8::1')).toBe('REFUSED')
      expect(await statusOf('-x', '192.0.2.1')).toBe('REFUSED')
    }
  )

  testWith('dig')(
    'anything else is refused: other zones, what the real zone publishes, transfers, other classes',
    async () => {
      for (const args of [
        ['example.com', 'AAAA'],
        ['net.test', 'AAAA'],
        ['tnr.net.test', 'AAAA'],
        ['_dnsaddr.tnr.net.test', 'TXT'],
        ['node-3.net.test.example.com', 'AAAA'],
        ['xnet.test', 'AAAA'],
        ['version.bind', 'CH', 'TXT'],
        ['.', 'NS']
      ]) {
        expect([args, await statusOf(...args)]).toEqual([args, 'REFUSED'])
      }
      expect(await dig('net.test', 'AXFR')).toMatch(/Transfer failed|status: REFUSED/)
      expect(await dig('nobody.net.test', 'AAAA')).toMatch(/status: NXDOMAIN[\s\S]*net\.test\.\s+5\s+IN\s+SOA/)
      expect(await statusOf('x.node-3.net.test', 'AAAA')).toBe('NXDOMAIN')
      expect(await statusOf('node-3.net.test', 'AAAA', '+edns=1', '+noednsnegotiation')).toBe('BADVERS')
    }
  )

  testWith('curl')('curl reaches a server of a member by its name', async () => {
    const server = createServer((_, response) => response.end('hello from node-3'))
    await new Promise<void>((resolve) => server.listen(0, '::1', resolve))
    const address = server.address()
    const at = typeof address === 'object' ? address?.port : undefined
    const [ip = ''] = await short('node-3.net.test', 'AAAA')
    // Debian's curl has no resolver of its own: --resolve takes what was answered. Through systemd-resolved: test/hosts/install.
    const { stdout } = await run('curl', [
      '-sg',
      '--resolve',
      `node-3.net.test:${at}:[${ip}]`,
      `http://node-3.net.test:${at}`
    ])
    expect(stdout).toBe('hello from node-3')
    server.close()
  })

  testWith('dig')(
    'a member that is down still answers, later ones first in a service; one that is revoked is no name any more',
    async () => {
      await network.node('node-4').libp2p.stop()
      const stateOf = async (name: string) => (await asker.control.lookup({ peer: name })).rows[0]?.state
      await eventually(async () => ['suspect', 'offline'].includes((await stateOf('node-4')) ?? ''))
      expect(await short('node-4.net.test', 'AAAA')).toEqual(['::1'])
      expect(await short('_web._tcp.net.test', 'SRV')).toEqual([
        '10 1 8080 node-3.net.test.',
        '20 1 8081 node-4.net.test.'
      ])

      await network.node('root').control.revoke({ peer: 'node-4', reason: 'stolen' })
      await eventually(async () => (await statusOf('node-4.net.test', 'AAAA')) === 'NXDOMAIN')
      expect(await short('_web._tcp.net.test', 'SRV')).toEqual(['10 1 8080 node-3.net.test.'])

      await network.node('node-3').stop('it goes')
      await eventually(async () => (await stateOf('node-3')) === 'left')
      expect(await statusOf('node-3.net.test', 'AAAA')).toBe('NXDOMAIN')
      expect(await statusOf('_web._tcp.net.test', 'SRV')).toBe('NXDOMAIN')
    }
  )
})
