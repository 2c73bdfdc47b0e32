import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { provesReach } from '../../../../src/node/peers/reachability.ts'

test.each([
  ['inbound', '/ip6/2001:db8::1/tcp/40000', true],
  ['inbound', '/ip6/fd00::1/tcp/40000', true],
  // On the link behind a firewall that lets nobody else in.
  ['inbound', '/ip6/fe80::1/tcp/40000', false],
  ['outbound', '/ip6/2001:db8::1/tcp/9000', false]
] as const)('an %s connection of %s proves that others can dial this node: %s', (direction, address, proves) => {
  expect(provesReach({ direction, remoteAddr: multiaddr(address) })).toBe(proves)
})
