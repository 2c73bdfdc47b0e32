import { describe, expect, test } from 'vitest'
import { Want } from '../../../../src/protocols/blocks/want.ts'
import { WaitingSource } from '../../../helpers/hosts/waiting-source.ts'

const [one, other] = [new WaitingSource(1), new WaitingSource(2)]

/** Times after each absence at which the source may be asked again. */
function pausesOf(want: Want, absences: number): number[] {
  let nowMs = 0
  return Array.from({ length: absences }, () => {
    want.absentAt(one, nowMs)
    const from = nowMs
    while (!want.mayAsk(one, nowMs)) nowMs += 50
    return nowMs - from
  })
}

describe('a want', () => {
  test('is asked again of a source that lacked it after pauses that grow up to a second, and of others at once', () => {
    const want = new Want(new Uint8Array(32))
    expect(pausesOf(want, 7)).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000])
    expect([want.absencesOf(one), want.absencesOf(other)]).toEqual([7, 0])
    want.absentAt(one, 100_000)
    expect([want.mayAsk(one, 100_000), want.mayAsk(other, 100_000)]).toEqual([false, true])
  })

  test('is asked of a source once, until it lacks it or is lost', () => {
    const want = new Want(new Uint8Array(32))
    want.asked.add(one)
    expect([want.mayAsk(one, 0), want.mayAsk(other, 0)]).toEqual([false, true])
    want.absentAt(one, 0)
    expect([want.asked.size, want.mayAsk(one, 100)]).toEqual([0, true])
    want.asked.add(one)
    want.lost(one)
    expect([want.asked.size, want.absencesOf(one), want.mayAsk(one, 0)]).toEqual([0, 0, true])
  })
})
