import { expect, test } from 'vitest'
import { painter } from '../../../../src/cli/output/text.ts'
import { matrixText } from '../../../../src/cli/peers/matrix.ts'
import type { MatrixView } from '../../../../src/node/api/control-api.ts'
import { peerIds } from '../../../helpers/commands/control-views.ts'
import { matrixView } from '../../../helpers/commands/past-views.ts'

const plain = painter(false)

test('a matrix says who reaches whom, which pairs are one-way, and whose word each failure is', () => {
  expect(matrixText(matrixView, plain).split('\n')).toEqual([
    'Who reaches whom, as each of them says: 3 members',
    '',
    '               1 2 3',
    '1 root           ! -',
    '2 hal          +   ~',
    '3 …RCu1cccc    - +',
    '',
    '+ reaches it   ! does not, though it is reached from there   x does not',
    '~ connected, who dialled is not known   - not known',
    '',
    'One way: hal reaches root, not the other way round',
    '  root says of hal: refused, nobody listens there (3m ago)',
    '',
    'hal at /ip6/2001:db8::2/tcp/9000: reached by 1 of 2',
    '  root says: refused, nobody listens there (3m ago)',
    '',
    'hal did not tell what members say: no answer in time'
  ])
})

test('thirty members fit into 80 columns, whatever their names', () => {
  const [first] = matrixView.members
  const members = Array.from({ length: 30 }, (_, at) => ({
    ...first,
    peerId: `${peerIds[0].slice(0, -2)}${at + 10}`,
    name: `a-very-long-name-of-a-member-${at}`,
    addresses: []
  })) as MatrixView['members']
  const lines = matrixText({ ...matrixView, members, total: 1000, pairs: [] }, plain).split('\n')
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
  expect(lines[0]).toBe('Who reaches whom, as each of them says: 30 members of 1000, the worst')
})

test('a name of another machine moves no cursor', () => {
  const [first, ...rest] = matrixView.members
  const members = first === undefined ? [] : [{ ...first, name: '\u001b[2Jx' }, ...rest]
  expect(matrixText({ ...matrixView, members }, plain)).not.toContain('\u001b')
})
