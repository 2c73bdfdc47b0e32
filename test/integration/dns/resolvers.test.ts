import { expect, it } from 'vitest'
import { Authority } from '../../../src/dns/authority.ts'
import { Zone } from '../../../src/dns/zone.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { Resolvers } from '../../../src/node/resolve/resolvers.ts'
import type { PhaseName } from '../../../src/node/status/phases.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { TestNetwork } from '../../helpers/network.ts'

/** The resolvers of a node as they are in that phase. */
const inPhase = ({ config, clock, services, key, invites, network }: TrustNode, name: PhaseName): Resolvers =>
  new Resolvers({ config, clock, services, key, invites, network, phases: { name } })

/** Which places told addresses, in the order in which they were asked, and what the first of each was. */
const sources = async (resolvers: Resolvers, publicKey?: Uint8Array): Promise<string[]> => {
  const found: string[] = []
  for await (const group of resolvers.resolve(publicKey, AbortSignal.timeout(ceilingMs))) {
    const [first] = group
    if (first !== undefined) found.push(first.source)
  }
  return found
}

/** From the last run, or as the operator wrote it. */
const here = expect.stringMatching(/^(cache|config)$/)

it('the phase picks the order in which addresses are looked for', async () => {
  const zone = new Zone('net.test')
  zone.set('tnr.net.test', [{ type: 'AAAA', value: '::1' }])
  await using names = await Authority.start(zone)
  await using network = await TestNetwork.create({ 'bootstrap.dnsServers': [`[::1]:${names.port}`] })
  const node = await network.join('node')
  const { publicKey } = (await network.join('other')).key
  await node.until(() => node.registry.records.read(publicKey) !== undefined, AbortSignal.timeout(ceilingMs))

  // All places say the same, so only the first one adds something.
  expect(await sources(inPhase(node, 'bootstrap'), publicKey)).toEqual(['registry'])
  expect(await sources(inPhase(node, 'trusted'), publicKey)).toEqual(['registry'])
  expect(await sources(inPhase(node, 'federated'), publicKey)).toEqual(['gossip'])
  expect(await sources(inPhase(node, 'autonomous'), publicKey)).toEqual(['gossip'])
  // Registries are looked for where they are known, then in DNS; of members it knows none.
  expect(await sources(inPhase(node, 'bootstrap'))).toEqual([here, 'dns'])
  expect(await sources(inPhase(node, 'autonomous'))).toEqual([here, 'dns'])
})

it('a place that fails is passed over, and its health says so until it works again', async () => {
  await using network = await TestNetwork.create()
  const node = await network.join('node')
  const health = (name: string) => node.services.parts.find((part) => part.name === name)
  expect(health('dns')).toMatchObject({ state: 'ok', errors: 0 })

  // No name server answers there.
  expect(await sources(node.resolvers)).toEqual([here])
  expect(health('dns')).toMatchObject({
    state: 'failing',
    errors: 1,
    lastError: expect.stringContaining('tnr.net.test')
  })

  const zone = new Zone('net.test')
  zone.set('tnr.net.test', [{ type: 'AAAA', value: '::1' }])
  await using names = await Authority.start(zone)
  node.config.bootstrap.dnsServers.splice(0, 1, `[::1]:${names.port}`)
  expect(await sources(node.resolvers)).toEqual([here, 'dns'])
  expect(health('dns')).toMatchObject({ state: 'ok', errors: 1 })
})
