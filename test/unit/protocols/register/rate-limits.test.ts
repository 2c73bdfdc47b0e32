import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, it } from 'vitest'
import { Culprits } from '../../../../src/protocols/engine/culprits.ts'
import { defaultLimits } from '../../../../src/protocols/engine/limits.ts'
import { RegisterRates } from '../../../../src/protocols/register/rate-limits.ts'
import { systemClock } from '../../../../src/runtime/clock-and-logger.ts'

const from = (address: string): Connection => {
  const connection = { remoteAddr: multiaddr(`/ip6/${address}/tcp/1`) }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is looked at of a connection here
  return connection as unknown as Connection
}

it('keys of one /48 without an invite leave half of the joins to those of others', () => {
  const clock = { ...systemClock, monotonic: () => 0 }
  const rates = new RegisterRates(defaultLimits.register, clock, new Culprits())
  let taken = 0
  const flood = (): void => {
    for (let net = 0; net < 1_000; net++, taken++) rates.takeJoin(from(`2001:db8:1:${net.toString(16)}::1`), 'none')
  }
  expect(flood).toThrow('/48')
  expect(taken).toBe(defaultLimits.register.uninvitedOfSite.count)
  for (let site = 2; site < 12; site++) rates.takeJoin(from(`2001:db8:${site.toString(16)}::1`), 'none')
})
