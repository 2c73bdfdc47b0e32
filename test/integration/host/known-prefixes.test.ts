import { expect, it } from 'vitest'
import { prefix64 } from '../../../src/address/prefix.ts'
import { KnownPrefixes } from '../../../src/node/host/known-prefixes.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

it('knows the prefixes that members came from, and none that they only announce', async () => {
  await using network = await TestNetwork.create()
  const member = await network.join('a', { 'announce.addresses': ['/ip6/fd00:1:2:3::5/tcp/9000'] })
  const { registry } = network.node('root')
  await eventually(() => (registry.records.read(member.key.publicKey)?.addrs ?? []).length > 0)
  const prefixes = new KnownPrefixes(registry)
  expect(prefixes.has(prefix64('fd00:1:2:3::5') ?? '')).toBe(false)
  const other = prefix64('fd00:9:9:9::5') ?? ''
  expect(prefixes.has(other)).toBe(false)
  prefixes.seen(member.peerId, '/ip6/fd00:9:9:9::77/tcp/50123')
  expect(prefixes.has(other)).toBe(true)
})
