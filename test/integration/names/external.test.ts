import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { digAt } from '../../helpers/commands/dig.ts'
import { testWith } from '../../helpers/commands/tool.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

describe('names at a node that keeps no records', () => {
  let network: TestNetwork
  let outside: TrustNode
  let ask: ReturnType<typeof digAt>

  beforeAll(async () => {
    network = await TestNetwork.create()
    await network.join('node-3', { services: [{ name: 'web', port: 8080, protocol: 'tcp' }] })
    outside = await network.join('outside', { role: 'external', 'dns.listen': '[::1]:0' })
    await eventually(() => outside.network?.names?.address !== undefined)
    ask = digAt(Number(outside.network?.names?.address?.split(':').at(-1)))
  })
  afterAll(() => network[Symbol.asyncDispose]())

  testWith('dig')('are asked of the registry, and only its own is left when there is none', async () => {
    await eventually(async () => (await ask.short('node-3.net.test', 'AAAA')).includes('::1'))
    await eventually(async () => (await ask.short('_web._tcp.net.test', 'SRV')).includes('10 1 8080 node-3.net.test.'))
    expect(await ask.status('_none._tcp.net.test', 'SRV')).toBe('NXDOMAIN')
    expect(await ask.status('nobody.net.test', 'AAAA')).toBe('NXDOMAIN')

    await network.node('node-3').stop('it goes')
    await eventually(async () => (await ask.status('node-3.net.test', 'AAAA')) === 'NXDOMAIN')

    await network.node('root').stop()
    await eventually(async () => (await ask.status('root.net.test', 'AAAA')) === 'SERVFAIL')
    expect(await ask.short('outside.net.test', 'AAAA')).toEqual(['::1'])
  })
})
