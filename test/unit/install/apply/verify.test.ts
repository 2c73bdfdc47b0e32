import { expect, it } from 'vitest'
import { isSettled } from '../../../../src/install/apply/verify.ts'
import { root, statusView } from '../../../helpers/commands/control-views.ts'

const { membership, registry, self } = statusView()
const isRoot = { ...self, role: 'root' as const }
const isNode = { ...self, role: 'integrated' as const }
const alone = { ...registry, lease: null }
const member = { ...membership, state: 'member' as const }

it.each([
  [
    'a root that is a member and still starts',
    { word: 'starting', self: isRoot, registry: alone, membership: member },
    false
  ],
  ['a root that is a member', { word: 'degraded', self: isRoot, registry: alone, membership: member }, true],
  ['a node without a lease', { word: 'isolated', self: isNode, registry: alone, membership: member }, false],
  [
    'a node with a lease',
    { word: 'degraded', self: isNode, registry: { ...registry, lease: root }, membership: member },
    true
  ],
  [
    'who waits for approval',
    { word: 'pending', self: isNode, registry: alone, membership: { ...member, state: 'pending' } },
    true
  ],
  [
    'who was refused',
    { word: 'refused', self: isNode, registry: alone, membership: { ...member, state: 'none' } },
    true
  ]
] as const)('verification ends, or not yet, with %s', (_who, change, settled) => {
  expect(isSettled(statusView(change))).toBe(settled)
})
