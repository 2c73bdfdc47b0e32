import { expect, it } from 'vitest'
import { isSettled, verifiedChecks } from '../../../../src/install/apply/verify.ts'
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

const url = 'postgres://u@db/log'
const seen = {
  store: url,
  held: true,
  term: 7,
  holder: root,
  leftMs: 2000,
  epoch: 0,
  head: 12,
  behind: 0,
  lacks: 0,
  candidates: [],
  weaknesses: [],
  failure: null,
  failingSinceMs: null,
  fault: null
}

it.each([
  ['pass', 'answers', seen, `${url} is reached`],
  ['fail', 'is away', { ...seen, failure: 'connection refused' }, 'is not of use yet: connection refused; nothing is'],
  ['fail', 'has no log of the network', { ...seen, term: null }, 'it has no log of this network'],
  ['fail', 'was not seen', null, 'it has no log of this network']
] as const)('an installation ends with a %s where the database of the log %s', (level, _what, store, words) => {
  const found = { status: statusView(), answerMs: 1, peers: 1, named: null, logStore: { url, seen: store } }
  const [check, ...more] = verifiedChecks(found).filter(({ id }) => id === 'root-store')
  expect(more).toEqual([])
  expect(check).toMatchObject({ level, reason: expect.stringContaining(words) })
})
