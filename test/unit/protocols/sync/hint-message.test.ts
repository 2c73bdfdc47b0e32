import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHintMessage, toHintMessage } from '../../../../src/protocols/sync/hint-message.ts'
import { Hint as HintMessage } from '../../../../src/protocols/sync/pb/sync.ts'
import type { Hint } from '../../../../src/registry/liveness/liveness.ts'
import { type State, stateOf, states } from '../../../../src/registry/liveness/states.ts'
import { anyKey, anyText } from '../../../helpers/signed-objects.ts'

const known = Object.values(states)
  .map((number) => stateOf(number))
  .filter((state): state is State => state !== undefined)
const whole = fc.nat({ max: 1_000_000_000 })
const anyHint: fc.Arbitrary<Hint> = fc.record({
  publicKey: anyKey,
  source: anyKey,
  heardMs: fc.option(whole, { nil: undefined }),
  state: fc.constantFrom(...known),
  sinceMs: whole,
  reason: anyText(0, 60),
  rttMs: fc.option(fc.integer({ min: 1, max: 10_000 }), { nil: undefined }),
  connected: fc.array(anyKey, { maxLength: 3 }),
  seq: whole,
  start: whole,
  count: whole
})
const overTheWire = (message: HintMessage): HintMessage => HintMessage.decode(HintMessage.encode(message))
const hint: Hint = {
  publicKey: new Uint8Array(32).fill(1),
  source: new Uint8Array(32).fill(2),
  heardMs: 1,
  state: 'online',
  sinceMs: 1,
  reason: '',
  rttMs: 1,
  connected: [],
  seq: 1,
  start: 1,
  count: 1
}

describe('a hint', () => {
  it('is the same on the other side', () => {
    fc.assert(
      fc.property(anyHint, (each) => {
        expect(fromHintMessage(overTheWire(toHintMessage(each)))).toEqual(each)
      })
    )
  })

  it.each([
    ['parts of milliseconds', { heardMs: 1.4, sinceMs: 2.6, rttMs: 3.5 }, { heardMs: 1, sinceMs: 3, rttMs: 4 }],
    ['a round trip of less than half a millisecond', { rttMs: 0.3 }, { rttMs: undefined }]
  ])('has no %s', (_, given, taken) => {
    expect(fromHintMessage(overTheWire(toHintMessage({ ...hint, ...given })))).toMatchObject(taken)
  })

  it.each<[string, Partial<HintMessage>]>([
    ['a state of a newer version', { state: 99 }],
    ['no state', { state: 0 }],
    ['no key', { publicKey: new Uint8Array() }],
    ['a key of another length', { publicKey: new Uint8Array(31) }],
    ['no source', { source: new Uint8Array() }],
    ['a source of another length', { source: new Uint8Array(33) }]
  ])('with %s is none', (_, changes) => {
    expect(fromHintMessage(overTheWire({ ...toHintMessage(hint), ...changes }))).toBeUndefined()
  })
})
