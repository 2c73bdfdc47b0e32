import { expect, it } from 'vitest'
import { prefix64 } from '../../src/address/prefix.ts'
import { KnownPrefixes } from '../../src/node/host/known-prefixes.ts'
import { eventually, TestNetwork } from '../helpers/network.ts'

it('knows the prefixes that members announce and those that they came from', async () => {
  await using network = await TestNetwork.create()
  await network.join('a', { 'announce.addresses': ['/ip6/fd00:1:2:3::5/tcp/9000'] })
  const { registry } = network.node('root')
  const prefixes = new KnownPrefixes(registry)
  const announced = prefix64('fd00:1:2:3::5') ?? ''
  await eventually(() => prefixes.has(announced))
  const other = prefix64('fd00:9:9:9::5') ?? ''
  expect(prefixes.has(other)).toBe(false)
  prefixes.seen('/ip6/fd00:9:9:9::77/tcp/50123')
  expect(prefixes.has(other)).toBe(true)
})
