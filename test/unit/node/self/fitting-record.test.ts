import { expect, it } from 'vitest'
import { fitting } from '../../../../src/node/self/fitting-record.ts'
import { recordBytes, sealRecord } from '../../../../src/registry/objects/record.ts'
import { aRecord, keyOf, serviceNamed } from '../../../helpers/signed-objects.ts'

it('a record that fits stays as it is', () => {
  expect(fitting(aRecord)).toBe(aRecord)
})

it('one that is too long loses relays, addresses and a part of its reason, and no service', () => {
  const services = Array.from({ length: 16 }, (_, n) => ({
    ...serviceNamed(`a-long-name-${10 + n}`),
    tags: ['production'],
    state: 'maintenance' as const
  }))
  const long = {
    ...aRecord,
    services: services.slice(0, 14),
    addrs: Array.from({ length: 8 }, (_, n) => `/ip6/2001:db8::${n + 1}/tcp/9000`),
    relayKeys: [9, 8, 7, 6].map((n) => keyOf(n).publicKey),
    maintenance: { sinceMs: 1_700_000_000_000, reason: '漢'.repeat(64) }
  }
  const fit = fitting(long)
  expect(recordBytes(fit)).toBeLessThanOrEqual(1024)
  expect(fit.services).toEqual(long.services)
  expect(fit.addrs).toEqual(long.addrs.slice(0, 1))
  expect(fit.relayKeys).toHaveLength(1)
  expect(long.maintenance.reason.startsWith(fit.maintenance?.reason ?? 'none')).toBe(true)
  expect(sealRecord(fit, keyOf(4)).bytes.length).toBe(recordBytes(fit))
  expect(fitting(fit)).toBe(fit)
})

it('one that nothing can shorten is left to whoever signs it', () => {
  const tags = Array.from({ length: 8 }, (_, n) => `${n}`.repeat(64))
  const services = ['a', 'b'].map((name) => ({ ...serviceNamed(name), tags }))
  const fit = fitting({ ...aRecord, services, maintenance: { sinceMs: 1, reason: '' } })
  expect(recordBytes(fit)).toBeGreaterThan(1024)
})
