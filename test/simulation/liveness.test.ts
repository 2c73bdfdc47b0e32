import { describe, expect, it } from 'vitest'
import { LivenessNetwork } from './liveness.ts'
import { Random } from './random.ts'

const seeds = 12
/** Two pings that are not answered, or four seconds without a pulse, and the look that finds it. */
const downMs = 5_500
const wholeMs = 12_000

/** Cuts of any kind, each healed again; gives all views of every moment that was looked at. */
function run(seed: number): string {
  const random = new Random(seed)
  const network = new LivenessNetwork(random)
  const { peers } = network
  const seen: string[] = []
  const whole = (when: string) => {
    network.pass(wholeMs)
    const up = network.up(peers, peers)
    expect({ seed, when, up: up.length }).toEqual({ seed, when, up: peers.length * (peers.length - 1) })
    seen.push(...up)
  }
  whole('at first')
  for (let round = 0; round < 3; round++) {
    const side = peers.filter(() => random.chance(0.5))
    const rest = peers.filter((peer) => !side.includes(peer))
    const isOneWay = random.chance(0.3)
    network.cut(side, rest)
    if (!isOneWay) network.cut(rest, side)
    network.pass(downMs)
    if (!isOneWay) {
      expect({ seed, round, up: network.up(side, rest) }).toEqual({ seed, round, up: [] })
      expect({ seed, round, up: network.up(rest, side) }).toEqual({ seed, round, up: [] })
    }
    network.pass(random.below(120) * 1_000)
    seen.push(...network.up(peers, peers))
    network.heal()
    whole(`after round ${round}`)
  }
  return seen.join()
}

describe('a network of the core of liveness', () => {
  it('shows in time who is behind a cut, never vouches for the other side, and is whole again after it', () => {
    for (let seed = 1; seed <= seeds; seed++) run(seed)
  })

  it('is the same for the same seed', () => {
    expect(run(7)).toBe(run(7))
  })
})
