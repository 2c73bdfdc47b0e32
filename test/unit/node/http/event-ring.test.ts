import { expect, test } from 'vitest'
import { EventRing, happenedBy } from '../../../../src/node/http/event-ring.ts'

test('goes on behind each id of its own, and leads one that it has not any more to the history', () => {
  let happened = 100
  const ring = new EventRing(() => happened)
  const begin = ring.end
  for (let head = 1; head <= 2000; head++) ring.push({ schema: 1, type: 'head', epoch: 1, head })
  expect(ring.after(begin)).toHaveLength(2000)
  const last = ring.end
  happened = 200
  ring.push({ schema: 1, type: 'head', epoch: 1, head: 2001 })
  expect(ring.after(last)).toEqual([{ id: ring.end, event: { schema: 1, type: 'head', epoch: 1, head: 2001 } }])
  expect(ring.after(ring.end)).toEqual([])

  expect(ring.after(begin)).toBeUndefined()
  expect(new EventRing(() => 0).after(last)).toBeUndefined()
  expect([begin, last, ring.end, '150', '000000000000-7', '', 'x', '-1'].map(happenedBy)).toEqual([
    100,
    100,
    200,
    150,
    ...Array.from({ length: 4 })
  ])
})
