import { expect, it } from 'vitest'
import { startDhcp } from '../../../../src/install/machine/dhcp-client.ts'
import { isManaged } from '../../../../src/install/machine/enable-ipv6.ts'
import type { Ipv6Facts } from '../../../../src/install/model/facts.ts'

it('starts the first client that is there, and none where there is none', () => {
  expect(startDhcp('eth0', () => true)?.run.join(' ')).toMatch(/^dhclient -6 .* eth0$/)
  expect(startDhcp('eth0', (program) => program === 'dhcpcd')?.run[0]).toBe('dhcpcd')
  expect(startDhcp('eth0', () => false)).toBeUndefined()
})

it('takes addresses to be managed where a router has offered none', () => {
  const gateway = { via: 'fe80::1', device: 'eth0' }
  const at = (address: string, tentative = false) => ({ address, device: 'eth0', tentative, duplicate: false })
  const facts = (more: object) =>
    ({ kernel: true, disabled: [], writable: true, gateway, addresses: [], ...more }) as unknown as Ipv6Facts
  expect(isManaged(facts({ addresses: [at('fe80::2')] }))).toBe(true)
  expect(isManaged(facts({ addresses: [at('fe80::2')], gateway: null }))).toBe(false)
  expect(isManaged(facts({ addresses: [at('fe80::2', true)] }))).toBe(false)
  expect(isManaged(facts({ addresses: [at('fe80::2'), at('fd00::2')] }))).toBe(false)
})
