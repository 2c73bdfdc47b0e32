import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Hint, MemberView } from '../../../../src/registry/liveness/liveness.ts'
import { compareObservations } from '../../../../src/registry/liveness/observation.ts'
import { states } from '../../../../src/registry/liveness/states.ts'
import { ann, bob, eve, fay, hint, keyNumber, World } from '../../../helpers/registry/liveness.ts'

const small = fc.nat({ max: 3 })
const place = fc.record({ seq: small, start: small, count: small, source: fc.constantFrom(bob, eve, fay) })
const state = fc.constantFrom(...(Object.keys(states) as Hint['state'][]))

/** Something that reaches a node: it may be true, late, forged by a registry, or come twice. */
type Fact =
  | { kind: 'word'; hint: Hint }
  | { kind: 'pulse'; hint: Hint }
  | { kind: 'record'; seq: number; holder: Uint8Array }

const fact: fc.Arbitrary<Fact> = fc.oneof(
  fc.tuple(place, state).map(([at, said]): Fact => ({ kind: 'word', hint: wordAt(at, said) })),
  fc.tuple(place, fc.constantFrom('online' as const, 'left' as const)).map(
    ([{ source, start, count }, said]): Fact => ({
      kind: 'pulse',
      hint: { ...wordAt({ seq: 0, start: start + 1, count: count + 1, source }, said), publicKey: source }
    })
  ),
  // A key signs one record for each seq.
  small.map((seq): Fact => ({ kind: 'record', seq, holder: [eve, fay, bob, eve][seq] ?? eve }))
)

/** One source says one thing at one place. */
const wordAt = (at: { seq: number; start: number; count: number; source: Uint8Array }, said: Hint['state']): Hint => {
  const names = Object.keys(states) as Hint['state'][]
  const fixed = names[(at.seq + 2 * at.start + 3 * at.count + (at.source[3] ?? 0)) % names.length] ?? said
  return hint({ ...at, start: at.start + 1, state: fixed, sinceMs: 10_000 - at.start * 1_000 - at.count * 10 })
}

/** Records only grow: the store refuses one with a lower seq. */
function viewsAfter(facts: readonly Fact[]): MemberView[] {
  using world = new World()
  let newest = -1
  for (const each of facts) {
    if (each.kind !== 'record') world.liveness.merge(each.hint)
    else if (each.seq > newest) {
      newest = each.seq
      world.names(ann, each.seq, each.holder)
    }
  }
  return [ann, bob, eve, fay].map((key) => world.liveness.view(key))
}

describe('the order of what is said of a member', () => {
  it('is total: any two have an order, equal ones are one, and it is the same whichever comes first', () => {
    fc.assert(
      fc.property(place, place, place, (a, b, c) => {
        expect(Math.sign(compareObservations(a, b))).toBe(-Math.sign(compareObservations(b, a)) + 0)
        expect(compareObservations(a, b) === 0).toBe(
          a.seq === b.seq && a.start === b.start && a.count === b.count && a.source === b.source
        )
        if (compareObservations(a, b) <= 0 && compareObservations(b, c) <= 0) {
          expect(compareObservations(a, c)).toBeLessThanOrEqual(0)
        }
      })
    )
  })

  it('gives the same view in any order of delivery, however often each comes', () => {
    fc.assert(
      fc.property(
        fc.array(fact, { maxLength: 12 }).chain((facts) =>
          fc.record({
            facts: fc.constant(facts),
            shuffled: fc.shuffledSubarray([...facts, ...facts], { minLength: facts.length * 2 })
          })
        ),
        ({ facts, shuffled }) => {
          expect(viewsAfter(shuffled)).toEqual(viewsAfter(facts))
        }
      ),
      { numRuns: 300 }
    )
  })

  it('lets nobody whom the newest record does not name speak while the one that it names is heard', () => {
    const forged = fc.record({ seq: fc.maxSafeNat(), start: fc.maxSafeNat(), count: fc.maxSafeNat() })
    fc.assert(
      fc.property(fc.array(fc.tuple(forged, state), { maxLength: 8 }), fc.boolean(), (forgeries, isFirst) => {
        using world = new World()
        const say = () => {
          for (const [at, said] of forgeries) {
            for (const source of [fay, keyNumber(13)]) world.liveness.merge(hint({ ...at, source, state: said }))
          }
        }
        world.names(ann, 1_000, eve)
        if (isFirst) say()
        world.liveness.merge(hint({ seq: 1_000 }))
        if (!isFirst) say()
        expect(world.liveness.view(ann)).toMatchObject({ state: 'online', source: eve })
        world.names(ann, 1_001, bob)
        world.liveness.merge(hint({ seq: 1_001, source: bob, state: 'suspect' }))
        expect(world.liveness.view(ann)).toMatchObject({ state: 'suspect', source: bob })
      })
    )
  })
})
