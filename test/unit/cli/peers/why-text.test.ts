import { expect, test } from 'vitest'
import { waysText } from '../../../../src/cli/peers/why-text.ts'
import { whyView } from '../../../helpers/commands/control-views.ts'
import { matrixView } from '../../../helpers/commands/past-views.ts'

const address = '/ip6/2001:db8::2/tcp/9000'
const words = matrixView.members[1]?.addresses[0]?.words.slice(0, 1) ?? []
const dials = [1, 2, 3, 4].map((at) => ({
  atMs: at * 60_000,
  tookMs: at,
  error: at === 4 ? null : 'nobody listens there'
}))

test('why shows the last dials of each address, the word of others, the next try, and how the record came', () => {
  const record = { way: 'sync', from: { peerId: whyView.peerId, name: 'keeper' }, atMs: 0 }
  const retry = { failures: 3, atMs: 312_000 }
  const view = {
    ...whyView,
    addresses: [
      { address, words, dials },
      { address, words: [], dials: [] }
    ],
    retry,
    record
  }
  expect(waysText(view, 300_000)).toEqual([
    `  at ${address}`,
    '     dialled 1m ago: connected (4ms)',
    '     dialled 2m ago: nobody listens there (3ms)',
    '     dialled 3m ago: nobody listens there (2ms)',
    '     root says: refused, nobody listens there (3m ago)',
    `  at ${address}: not dialled since this process started`,
    '  dialled again in 12s, after 3 failures',
    '  record pulled from keeper 5m ago'
  ])
})
