import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Journal, JournaledMap } from '../../../../../src/registry/log/state/undo-log.ts'

interface Row {
  readonly value: number
}

type Step =
  | { readonly do: 'set'; readonly key: string; readonly value: number }
  | { readonly do: 'delete'; readonly key: string }
  | { readonly do: 'mark' | 'undo' | 'settle' }

const key = fc.constantFrom('a', 'b', 'c')
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('set' as const), key, value: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('mark' as const, 'undo' as const, 'settle' as const) }) }
)

const contents = (map: JournaledMap<string, Row>): Map<string, number> =>
  new Map(['a', 'b', 'c'].flatMap((each) => (map.has(each) ? [[each, map.get(each)?.value ?? -1] as const] : [])))

describe('a journaled map', () => {
  it('goes back to what it was at any mark, whatever was changed since, and keeps what was settled', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const journal = new Journal()
        const map = new JournaledMap<string, Row>(journal)
        let model = new Map<string, number>()
        let marks: { mark: number; model: Map<string, number> }[] = []
        journal.start()
        for (const each of steps) {
          if (each.do === 'set') {
            map.set(each.key, { value: each.value })
            model.set(each.key, each.value)
          } else if (each.do === 'delete') {
            map.delete(each.key)
            model.delete(each.key)
          } else if (each.do === 'mark') marks.push({ mark: journal.mark(), model: new Map(model) })
          else if (each.do === 'settle') {
            journal.settle()
            journal.start()
            marks = []
          } else {
            const last = marks.pop()
            if (last === undefined) continue
            journal.undoTo(last.mark)
            model = last.model
          }
          expect(contents(map)).toEqual(model)
          expect(map.size).toBe(model.size)
        }
      })
    )
  })

  it('changes for good while nothing is recorded', () => {
    const journal = new Journal()
    const map = new JournaledMap<string, Row>(journal)
    map.set('a', { value: 1 })
    expect([journal.isRecording, journal.mark()]).toEqual([false, 0])
    journal.start()
    map.set('a', { value: 2 })
    map.delete('missing')
    journal.undoTo(0)
    expect([...map.values()]).toEqual([{ value: 1 }])
  })

  it('takes steps of others back with its own, newest first', () => {
    const journal = new Journal()
    const order: string[] = []
    journal.record(() => order.push('never'))
    journal.start()
    journal.record(() => order.push('first'))
    journal.record(() => order.push('second'))
    journal.undoTo(journal.mark() - 2)
    expect(order).toEqual(['second', 'first'])
  })
})
