import { expect, test } from 'vitest'
import { painter } from '../../../../src/cli/output/text.ts'
import { comparisonText } from '../../../../src/cli/peers/compare.ts'
import { compareView } from '../../../helpers/commands/past-views.ts'
import { runCli } from '../../../helpers/control-process.ts'

const plain = painter(false)

test('a comparison says whose views were compared, and of each member both sides with their ages', () => {
  expect(comparisonText(compareView, plain, 80).split('\n')).toEqual([
    'root: 3 members, checkpoint 2s old',
    'far is left out: no answer in time',
    'hal (this node): 2 members, checkpoint 5s old',
    '',
    'They differ about 2 of 3 members',
    'hal',
    '  state    root: suspect, heard 12s ago; hal: online, heard 0s ago',
    '  record   root: seq 4 at /ip6/2001:db8::2/tcp/9000;',
    '           hal: seq 5 at /ip6/2001:db8::2/tcp/9000',
    '…RCu1cccc',
    '  member   root: a member; hal: no member'
  ])
})

test('views that agree say so, and one alone is compared with nothing', () => {
  expect(comparisonText({ ...compareView, rows: [] }, plain, 80)).toContain('They agree about 3 members')
  const [, far] = compareView.sources
  expect(comparisonText({ ...compareView, sources: far === undefined ? [] : [far] }, plain)).toContain(
    'nothing to compare'
  )
})

test('registry diff --with says what took its place', async () => {
  const { err, code } = await runCli(['registry', 'diff', '--with', 'keeper'], { home: '/nonexistent' })
  expect(err).toContain('trustnet peers --compare keeper,self')
  expect(code).toBe(2)
})
