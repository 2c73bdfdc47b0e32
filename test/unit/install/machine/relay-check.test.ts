import { expect, test } from 'vitest'
import { relays } from '../../../../src/install/machine/doctor.ts'
import { statusView } from '../../../helpers/commands/control-views.ts'

const root = { peerId: '12D3KooW', name: 'root' }

test('who relays for this node is said, and nothing where others dial it', () => {
  expect(relays(statusView({}))).toEqual([])
  const [check] = relays(statusView({ relay: { relays: [root], trouble: null, serves: null } }))
  expect(check).toMatchObject({ level: 'pass', reason: expect.stringContaining('through root') })
  // A process of an older version says nothing of them.
  expect(relays({})).toEqual([])
})

test('that nobody relays is a warning where nobody gets through otherwise', () => {
  const relay = { relays: [], trouble: 'no member is connected that relays', serves: null }
  const [check] = relays(statusView({ reach: 'outbound', relay }))
  expect(check).toMatchObject({ level: 'warn', reason: expect.stringContaining('no member is connected that relays') })
  expect(relays(statusView({ reach: 'unknown', relay })).map(({ level }) => level)).toEqual(['pass'])
})
