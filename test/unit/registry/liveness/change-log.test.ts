import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChangeLog } from '../../../../src/registry/liveness/change-log.ts'

describe('ChangeLog', () => {
  /** A touch of an id, the end of one, or a page read by a reader. */
  const anyStep = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('touch' as const), id: fc.stringMatching(/^[a-h]$/) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), id: fc.stringMatching(/^[a-h]$/) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), id: fc.constant('') }) }
  )

  it('shows a reader each id that changed since, at its latest change only, in the order of the changes', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 200 }), fc.integer({ min: 1, max: 5 }), (steps, limit) => {
        const log = new ChangeLog()
        const due = new Map<string, number>()
        let position = 0
        const read = () => {
          const page = log.after(position, limit)
          expect(page.ids).toEqual([...due.keys()].slice(0, limit))
          for (const id of page.ids) due.delete(id)
          position = page.change
        }
        for (const { kind, id } of steps) {
          due.delete(id)
          if (kind === 'touch') due.set(id, log.touch(id))
          if (kind === 'delete') log.delete(id)
          if (kind === 'read') read()
        }
        while (due.size > 0) read()
        expect(log.after(position, limit).ids).toEqual([])
      })
    )
  })

  it('stays small however often the same ids change', () => {
    const log = new ChangeLog()
    for (let round = 0; round < 5_000; round++) log.touch(round % 2 === 0 ? 'a' : 'b')
    expect(log.after(0, 10)).toEqual({ ids: ['a', 'b'], change: 5_000 })
    expect(log.size).toBeLessThan(1_100)
  })
})
