import { expect, test } from 'vitest'
import { rootStore } from '../../../../src/install/machine/doctor.ts'

const self = { peerId: '12D3KooWself', name: 'root' }
const held = {
  store: 'postgres://u@db/log',
  held: true,
  term: 7,
  holder: self,
  leftMs: 2000,
  epoch: 0,
  head: 12,
  behind: 0,
  lacks: 0,
  candidates: [{ peerId: '12D3KooWother', name: 'other' }],
  weaknesses: [],
  failure: null,
  failingSinceMs: null,
  fault: null
}

test('the database of the log is looked at where this node stands for the place of the root', () => {
  expect(rootStore(null)).toEqual([])
  // A process of an older version says nothing of it.
  expect(rootStore(undefined)).toEqual([])
  expect(rootStore(held)).toMatchObject([
    { level: 'pass', reason: expect.stringContaining('this process has the lease (term 7), 1 other candidate') }
  ])
  expect(rootStore({ ...held, held: false, behind: 3 })).toMatchObject([
    {
      level: 'pass',
      reason: expect.stringContaining('root has the lease (term 7), 1 other candidate, 3 entries behind')
    }
  ])
})

test.each([
  ['fail', { failure: 'connection refused' }, 'is not reached: connection refused'],
  ['fail', { fault: 'it has no log key' }, 'cannot take the place of the root: it has no log key'],
  ['warn', { weaknesses: ['fsync', 'synchronous_standby_names'] }, 'may lose what it has answered: fsync, '],
  ['warn', { term: null }, 'was not asked yet']
])('it is a %s of doctor with %o', (level, change, words) => {
  const [check, ...more] = rootStore({ ...held, ...change })
  expect(more).toEqual([])
  expect(check).toMatchObject({ id: 'root-store', level, reason: expect.stringContaining(words) })
})
