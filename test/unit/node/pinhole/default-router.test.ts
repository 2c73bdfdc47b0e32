import { join } from 'node:path'
import { expect, test } from 'vitest'
import { defaultRouters, parseDefaultRouters } from '../../../../src/node/pinhole/default-router.ts'

const zero = '0'.repeat(32)
const linkLocal = 'fe800000000000000000000000000001'
const global = '20010db8000000000000000000000001'

const line = (
  destination: string,
  length: string,
  via: string,
  metric: string,
  flags: string,
  device: string
): string => `${destination} ${length} ${zero} 00 ${via} ${metric} 00000001 00000000 ${flags}     ${device}`

test('default routers are those that the system would take, in its order', () => {
  const table = [
    line(global, '40', zero, '00000100', '00000001', 'eth0'),
    line(zero, '00', global, '00000400', '00000003', 'eth1'),
    line(zero, '00', linkLocal, '00000064', '00450003', 'eth0'),
    // The link itself, a route that is down, and the kernel's own "unreachable".
    line(zero, '00', zero, '00000010', '00000001', 'wg0'),
    line(zero, '00', linkLocal, '00000010', '00000002', 'eth2'),
    line(zero, '00', zero, 'ffffffff', '00200200', 'lo'),
    'nonsense'
  ].join('\n')
  expect(parseDefaultRouters(table)).toEqual([
    { address: 'fe80::1%eth0', device: 'eth0' },
    { address: '2001:db8::1', device: 'eth1' }
  ])
})

test('there are none where the system has no such table', async () => {
  expect(await defaultRouters(join(import.meta.dirname, 'no-table'))).toEqual([])
})
