import { describe, expect, test } from 'vitest'
import { stateCell } from '../../../../src/cli/output/peer-columns.ts'
import { peersSummary, selectPeers } from '../../../../src/cli/output/peer-rows.ts'
import { stamp } from '../../../../src/node/api/stamp.ts'
import { origin, peerIds, peerRow, peersView, root, unknownRow } from '../../../helpers/commands/control-views.ts'

const day = 86_400_000
const rows = [
  peerRow({ name: 'zoe', peerId: peerIds[3] }),
  peerRow({ name: 'hal' }),
  unknownRow(),
  peerRow({ ...root, role: 'root' }),
  peerRow({ name: 'me', self: true })
]
const names = (filter: Parameters<typeof selectPeers>[1]): (string | null)[] =>
  selectPeers(rows, filter).rows.map(({ name }) => name)

describe('rows of peers', () => {
  test('self, then the registries, then by name, the nameless last', () => {
    expect(names({})).toEqual(['me', 'root', 'hal', 'zoe', null])
  })

  test('filters narrow together, a list by comma widens', () => {
    expect(names({ role: 'root,secondary' })).toEqual(['root'])
    expect(names({ state: 'online', name: 'o' })).toEqual(['root', 'zoe'])
    expect(names({ service: 'web', limit: 2 })).toEqual(['me', 'root'])
    expect(names({ source: 'gossip' })).toEqual([])
  })

  test('of a service, those that have it with a tag, and those that can be called now', () => {
    const service = { name: 'db', port: 5432, protocol: 'tcp' as const, tags: ['blue'], state: 'passing' as const }
    const some = [
      peerRow({ name: 'well', services: [service] }),
      peerRow({ name: 'ill', services: [{ ...service, tags: [], state: 'failing' }] }),
      peerRow({ name: 'gone', state: 'offline', services: [service] })
    ]
    const found = (filter: Parameters<typeof selectPeers>[1]) => selectPeers(some, filter).rows.map(({ name }) => name)
    expect(found({ service: 'db' })).toEqual(['gone', 'ill', 'well'])
    expect(found({ service: 'db', tag: 'blue' })).toEqual(['gone', 'well'])
    expect(found({ service: 'db', healthy: true })).toEqual(['well'])
    expect(found({ service: 'web', healthy: true })).toEqual([])
  })

  test('sorts with the unknown last', () => {
    const some = [unknownRow(), peerRow({ name: 'slow', rttUs: 50 }), peerRow({ name: 'fast', rttUs: 1 })]
    expect(selectPeers(some, { sort: 'rtt' }).rows.map(({ name }) => name)).toEqual(['fast', 'slow', null])
  })

  test('members that nobody heard for 7 days are listed with all only, and counted', () => {
    const old = [peerRow(), peerRow({ name: 'old', state: 'offline', seenAgeMs: 8 * day })]
    expect(selectPeers(old, {})).toMatchObject({ kept: 1, rows: [{ name: 'hal' }] })
    expect(selectPeers(old, { all: true }).rows).toHaveLength(2)
  })

  test('the summary says who, where, how many in which state, whose view and how old', () => {
    const view = { ...stamp(origin, 0), ...peersView([peerRow(), unknownRow()]) }
    expect(peersSummary(view, 3)).toBe(
      'root …RCu1aaaa in example.org · 2 members: 1 online, 1 unknown · view of root, log 0:12, 2s old · trustnet 0.1.0 · 3 not seen for 7 days (--all)'
    )
  })
})

test.each([
  ['left: left', 'left 5s'],
  ['left: left: moved house', 'left 5s: moved house'],
  ['left: stopped by the operator', 'left 5s: stopped by the operator'],
  [null, 'left 5s']
])('the state says "left" once: %j', (reason, text) => {
  const row = { state: 'left', confirmed: true, stateSinceMs: 1_000, reason } as const
  expect(stateCell(row, 6_000, (_, shown) => shown)).toBe(text)
})
