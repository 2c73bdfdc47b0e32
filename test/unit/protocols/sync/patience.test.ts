import { describe, expect, it } from 'vitest'
import { Patience } from '../../../../src/protocols/sync/patience.ts'

const limits = { patienceMs: 30_000, paceBytes: 1_000, otherPaceBytes: 4_000, otherMs: 60_000 }

describe('the patience with the other side of a sync', () => {
  it('ends when it was waited for in vain, however often something small came', () => {
    const patience = new Patience(limits)
    for (let frame = 0; frame < 10; frame++) {
      patience.waited(5_000)
      patience.repeated(10)
    }
    expect(patience.leftMs).toBe(0)
  })

  it('lasts for as long as what has an end moves at its pace', () => {
    const patience = new Patience(limits)
    for (let second = 0; second < 10_000; second++) {
      patience.moved(1_000)
      patience.waited(1_000)
    }
    expect(patience.leftMs).toBe(30_000)
  })

  it('lasts longer for what can be sent without end only so far', () => {
    const patience = new Patience(limits)
    patience.repeated(1e9)
    expect(patience.leftMs).toBe(90_000)
  })
})
