import { describe, expect, it } from 'vitest'
import { newerCheckpoint } from '../../../../src/protocols/register/newer-checkpoint.ts'
import { sealCheckpoint } from '../../../../src/registry/objects/checkpoint.ts'
import { keyOf, networkId } from '../../../helpers/signed-objects.ts'

const at = (epoch: number, n: number, timeMs: number): Uint8Array => {
  const state = { stateRoot: new Uint8Array(32), rows: 1, bytes: 1, headHash: new Uint8Array(32) }
  return sealCheckpoint({ networkId, epoch, n, timeMs, ...state }, keyOf(1)).bytes
}
const held = at(2, 10, 1_000)

describe('a checkpoint that somebody shows', () => {
  it.each([
    ['of a later entry', at(2, 11, 1_000), true],
    ['of a later time over the same entries', at(2, 10, 1_001), true],
    ['of a later epoch with fewer entries', at(3, 5, 500), true],
    ['that is the one held', at(2, 10, 1_000), false],
    ['of an earlier entry, signed later', at(2, 9, 9_000), false],
    ['of an earlier time over the same entries', at(2, 10, 999), false],
    ['of an earlier epoch with more entries', at(1, 99, 9_000), false]
  ])('%s is worth looking at: %s', (_, shown, isNewer) => {
    expect(newerCheckpoint(shown, held)).toBe(isNewer)
    expect(newerCheckpoint(shown, undefined)).toBe(true)
  })

  it('is never the very one that is held', () => {
    expect(newerCheckpoint(held, held)).toBe(false)
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['no envelope', Uint8Array.of(0xff, 0xff)],
    ['an envelope cut short', held.subarray(0, 20)]
  ])('is not worth it when it is %s', (_, shown) => {
    expect(newerCheckpoint(shown, held)).toBe(false)
  })

  it('that can be read is newer than one that cannot', () => {
    expect(newerCheckpoint(held, Uint8Array.of(0xff))).toBe(true)
  })
})
