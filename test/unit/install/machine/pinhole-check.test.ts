import { expect, test } from 'vitest'
import { statusText } from '../../../../src/cli/output/status-text.ts'
import { pinholes } from '../../../../src/install/machine/doctor.ts'
import { statusView } from '../../../helpers/commands/control-views.ts'

const now = 1_800_000_000_000
const asked = { address: '[2001:db8::1]:9000', router: 'fe80::1%eth0', expiresMs: null }
const open = { ...asked, state: 'open' as const, message: null, expiresMs: now + 3_600_000 }
const refused = { ...asked, state: 'refused' as const, message: 'it allows no pinholes here' }
const silent = { ...asked, state: 'silent' as const, message: 'the router does not answer' }

test('a pinhole that is open is fine, and one that is not is a warning where nobody gets through otherwise', () => {
  const levels = (reach: 'direct' | 'outbound') =>
    pinholes(statusView({ reach, pinholes: [open, refused, silent] })).map(({ level }) => level)
  expect(levels('direct')).toEqual(['pass', 'pass', 'pass'])
  expect(levels('outbound')).toEqual(['pass', 'warn', 'warn'])
  const [check] = pinholes(statusView({ reach: 'outbound', pinholes: [refused] }))
  expect(check).toMatchObject({ fix: 'let others in at [2001:db8::1]:9000 in the firewall of the router' })
  // A process of an older version says nothing of them.
  expect(pinholes({})).toEqual([])
})

test('status tells what a router has opened or refused, and nothing of one that is silent', () => {
  const text = (all: (typeof open | typeof refused | typeof silent)[]) =>
    statusText(statusView({ pinholes: all }), (_, plain) => plain, now)
  expect(text([open])).toContain('[2001:db8::1]:9000 opened by the router fe80::1%eth0')
  expect(text([refused])).toContain('refused by the router fe80::1%eth0: it allows no pinholes here')
  expect(text([silent])).not.toContain('Pinholes')
})
