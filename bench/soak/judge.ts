import type { Sample } from '../processes/soaking.ts'

/** By how much a value may grow from the second third of the time to the last one: a share of it, and so much on top. */
const allowed: Record<keyof Sample, { share: number; plus: number }> = {
  rssBytes: { share: 0.15, plus: 16 * 2 ** 20 },
  heldBytes: { share: 0.1, plus: 4 * 2 ** 20 },
  handles: { share: 0.1, plus: 6 },
  descriptors: { share: 0.1, plus: 6 },
  storeBytes: { share: 0.2, plus: 2 ** 20 },
  // It is cut back when it has this size, whatever was written.
  walBytes: { share: 0, plus: 72 * 2 ** 20 },
  loopP99Ms: { share: 1, plus: 20 }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

export interface Judgement {
  what: keyof Sample
  before: number
  after: number
  isFlat: boolean
}

/** Compares the last third of the samples with the one before; the first is warm-up. */
export function judge(samples: readonly Sample[]): Judgement[] {
  const third = Math.floor(samples.length / 3)
  if (third === 0) throw new RangeError(`${samples.length} samples are too few to tell growth: let it run for longer`)
  const names = Object.keys(allowed).filter((name): name is keyof Sample => Object.hasOwn(allowed, name))
  return names.map((what) => {
    const before = median(samples.slice(third, -third).map((sample) => sample[what]))
    const after = median(samples.slice(-third).map((sample) => sample[what]))
    const { share, plus } = allowed[what]
    return { what, before, after, isFlat: after <= before * (1 + share) + plus }
  })
}
