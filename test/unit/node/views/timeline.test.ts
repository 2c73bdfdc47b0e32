import { expect, test } from 'vitest'
import { upBySlot } from '../../../../src/node/views/timeline-view.ts'

test('a slot has the share of the time that was up, of what was seen of it', () => {
  const spans = [
    { fromMs: -50, toMs: 25, state: 'online' as const },
    { fromMs: 25, toMs: 125, state: 'suspect' as const },
    { fromMs: 125, toMs: 150, state: 'late' as const },
    { fromMs: 150, toMs: 320, state: 'unknown' as const },
    { fromMs: 320, toMs: 999, state: 'online' as const }
  ]
  expect(upBySlot(spans, 0, 100, 4)).toEqual([25, 50, null, 100])
  expect(upBySlot([], 0, 100, 2)).toEqual([null, null])
})
