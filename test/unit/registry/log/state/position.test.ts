import { assert, nat, property, record } from 'fast-check'
import { expect, it } from 'vitest'
import { compareCheckpoints, comparePositions } from '../../../../../src/registry/log/state/position.ts'

const small = nat({ max: 3 })
const positions = record({ epoch: small, n: small, timeMs: small })

it('orders places by epoch, then number, and checkpoints by their time, too', () => {
  assert(
    property(positions, positions, (a, b) => {
      const digits = ({ epoch, n, timeMs }: typeof a, withTime: boolean): number =>
        epoch * 100 + n * 10 + (withTime ? timeMs : 0)
      expect(Math.sign(comparePositions(a, b))).toBe(Math.sign(digits(a, false) - digits(b, false)))
      expect(Math.sign(compareCheckpoints(a, b))).toBe(Math.sign(digits(a, true) - digits(b, true)))
    })
  )
})
