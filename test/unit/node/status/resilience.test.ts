import { expect, test } from 'vitest'
import { resilienceOf } from '../../../../src/node/status/resilience.ts'

const yes = { survives: true, needs: null }
const no = (needs: string) => ({ survives: false, needs })
const node = { role: 'integrated', member: true, replica: true, cachedPeers: 2, candidates: 3 } as const

test.each([
  ['two other members that hold the log', node, { root: yes, dns: yes, both: yes }],
  ['one', { ...node, cachedPeers: 1 }, { root: yes, dns: yes, both: no('1 more cached peer') }],
  [
    'the root alone',
    { ...node, cachedPeers: 0, candidates: 1 },
    { root: no('1 more cached peer'), dns: yes, both: no('2 more cached peers') }
  ],
  [
    'nobody with an address',
    { ...node, cachedPeers: 0, candidates: 0 },
    { root: no('1 more cached peer'), dns: no('1 cached peer'), both: no('2 more cached peers') }
  ],
  [
    'no replica yet',
    { ...node, replica: false },
    { root: no('a verified replica of the log'), dns: yes, both: no('a verified replica of the log') }
  ],
  [
    'no membership, but an invite',
    { ...node, member: false, replica: false },
    { root: no('admission to the network'), dns: yes, both: no('admission to the network') }
  ],
  [
    'a root that is alone and needs no DNS',
    { ...node, role: 'root', cachedPeers: 0, candidates: 0 },
    { root: no('1 more cached peer'), dns: yes, both: no('2 more cached peers') }
  ]
] as const)('with %s', (_, facts, expected) => {
  expect(resilienceOf(facts)).toEqual(expected)
})
