import { describe, expect, it } from 'vitest'
import { expectedOfNode } from '../../../bench/scale/expected.ts'
import { flows, type Scenario, simulate } from '../../../bench/scale/simulate.ts'
import { measureSizes } from '../../../bench/scale/sizes.ts'

const scenario: Scenario = {
  nodes: 1_000,
  seconds: 600,
  seed: 7,
  restartsPerNodeAndDay: 1,
  admittedPerDay: 0.001,
  membershipDays: 90,
  refreshMs: 600_000,
  nodesPerRegistry: 500,
  registriesWanted: 3,
  peersWanted: 10,
  heartbeatMs: 30_000,
  pullMs: 60_000,
  circle: 64,
  pull: { by: 'digest', hints: false }
}

describe('the scale of a network', () => {
  it('on paper is what its simulation shows, within a fifth', () => {
    const sizes = measureSizes()
    const simulated = simulate(scenario, sizes)
    const expected = expectedOfNode(scenario, sizes, simulated)
    for (const flow of flows) {
      const ratio = expected[flow] / simulated.traffic[flow].node.received
      expect(Math.abs(Math.log(ratio)), `${flow}: ${ratio}`).toBeLessThan(Math.log(1.2))
    }
  })

  it('does not let the gossip of all members reach a registry', () => {
    const sizes = measureSizes()
    const received = (circle: number) =>
      simulate({ ...scenario, circle }, sizes).traffic['gossip ids'].registry.received
    expect(received(64)).toBeLessThan(received(1_000) / 5)
  })

  it('is the same for the same seed', () => {
    const sizes = measureSizes()
    expect(simulate(scenario, sizes)).toEqual(simulate(scenario, sizes))
  })
})
