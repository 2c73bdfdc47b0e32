import { expect, it } from 'vitest'
import { Authority } from '../../../src/dns/authority.ts'
import { Zone } from '../../../src/dns/zone.ts'
import { tnrDifference } from '../../../src/node/self/tnr-watch.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { TestNetwork } from '../../helpers/network.ts'

it('a registry whose address is not the one that tnr says knows what it says and what it must say', async () => {
  const zone = new Zone('net.test')
  await using dns = await Authority.start(zone)
  await using network = await TestNetwork.create({ 'bootstrap.dnsServers': [`[::1]:${dns.port}`] })
  const { config: own, resolvers, registry, attached } = network.node('root')
  const config = { ...own, bootstrap: { ...own.bootstrap, port: attached.port } }
  const difference = () => tnrDifference({ config, resolvers }, { registry, announced: attached.announced })
  const says = async (...values: string[]) => {
    zone.set(
      'tnr.net.test',
      values.map((value) => ({ type: 'AAAA', value }))
    )
    await resolvers.dns.look('net.test', AbortSignal.timeout(ceilingMs))
    return difference()
  }
  expect(await says()).toBeUndefined()
  const differs = { domain: 'net.test', says: ['2001:db8:1::5'], own: '::1', stale: ['2001:db8:1::5'] }
  expect(await says('2001:db8:1::5')).toEqual(differs)
  // Without an answer the last one stands.
  expect(await says()).toEqual(differs)
  expect(await says('2001:db8:1::5', '::1')).toBeUndefined()
})
