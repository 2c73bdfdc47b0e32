import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { Authority } from '../../../src/dns/authority.ts'
import { Zone } from '../../../src/dns/zone.ts'
import { createNetworkHere } from '../../../src/node/offline/create-network.ts'
import { TestNetwork } from '../../helpers/network.ts'

const withRecord = async () => {
  const zone = new Zone('net.test')
  zone.set('tnr.net.test', [{ type: 'AAAA', value: '::1' }])
  return await Authority.start(zone)
}

it('refuses to make a network where tnr leads to a live one, unless told to', async () => {
  await using dns = await withRecord()
  await using live = await TestNetwork.create()
  const flags = {
    role: 'root',
    'bootstrap.dnsServers': [`[::1]:${dns.port}`],
    'bootstrap.port': live.node('root').attached.port
  }
  await using other = new TestNetwork()
  const { config } = other.config('second-root', flags)
  await expect(createNetworkHere(config)).rejects.toThrow(`a live network already, ${live.networkId}`)
  await expect(createNetworkHere(config, { newNetwork: true })).resolves.toHaveProperty('networkId')
  await expect(createNetworkHere(config, { newNetwork: true })).rejects.toThrow(/holds a network already/)
})

it('makes a network whose record was published in advance, whatever else listens there', async () => {
  await using dns = await withRecord()
  const silent = createServer().listen({ host: '::1', port: 0 })
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  await using network = new TestNetwork()
  const flags = { role: 'root', 'bootstrap.dnsServers': [`[::1]:${dns.port}`], 'bootstrap.port': port }
  await expect(createNetworkHere(network.config('root', flags).config)).resolves.toHaveProperty('fingerprint')
  silent.close()
})
