import { expect, test } from 'vitest'
import { registryText } from '../../../../src/cli/registry/text.ts'
import { registryStatusView } from '../../../helpers/commands/control-views.ts'

const shown = { epoch: 0, head: 7, ageMs: 12_000 }

test.each([
  [{ shown: null, behind: null }, 'how far its log goes is not known here'],
  [{ shown, behind: null }, 'was at entry 7 12s ago, not known since'],
  [{ shown, behind: 0 }, 'log up to date as of 12s ago'],
  [{ shown, behind: 1 }, '1 entry behind as of 12s ago'],
  [{ shown, behind: 5 }, '5 entries behind as of 12s ago']
])('of a registry that %j it says "%s"', (lag, words) => {
  const registries = registryStatusView.registries.map((row) => ({ ...row, ...lag }))
  expect(registryText({ ...registryStatusView, registries }, (_style, text) => text)).toContain(
    `connected, ${words}, -`
  )
})

test('a log in a database has lines with who holds its lease, who waits for it, and what may be lost', () => {
  const [self, other] = [registryStatusView.self, { ...registryStatusView.self, name: 'other' }]
  const rootStore = {
    store: 'postgres://u@db/log',
    held: true,
    term: 7,
    holder: self,
    leftMs: 2000,
    epoch: 0,
    head: 12,
    behind: 0,
    lacks: 0,
    candidates: [other],
    weaknesses: ['fsync'],
    failure: null,
    failingSinceMs: null,
    fault: null
  }
  const textOf = (changes: Partial<typeof rootStore> | { term: null } | { failure: string; fault: string }): string =>
    registryText({ ...registryStatusView, rootStore: { ...rootStore, ...changes } }, (_style, text) => text)
  expect(textOf({})).toContain('postgres://u@db/log, term 7 of this process for 2s more, 0 entries behind')
  expect(textOf({})).toMatch(/Candidates +other/)
  expect(textOf({})).toContain('the database may lose what it has answered: fsync')
  expect(textOf({ lacks: 300 })).toContain('it is brought 300 older entries of this store')
  expect(textOf({ held: false, holder: other, candidates: [], weaknesses: [], behind: 1 })).toMatch(
    /term 7 of other.*, 1 entry behind\nCandidates +nobody else\n/
  )
  expect(textOf({ leftMs: 0 })).toContain('term 7 of this process, which has ended, 0')
  const failing = textOf({ failure: 'refused', fault: 'it has no log key' })
  expect(failing).toContain('the database is not reached: refused')
  expect(failing).toContain('cannot take the place of the root: it has no log key')
  expect(textOf({ term: null })).toContain('postgres://u@db/log, which was not reached yet')
})
