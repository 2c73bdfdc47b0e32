import type { Sizes } from './sizes.ts'

/** How the periodic pull asks for records. */
export interface PullPolicy {
  /** By the cursor of the source, when there is one, or always by digest. */
  readonly by: 'cursor' | 'digest'
  /** True: the answer holds all hints. */
  readonly hints: boolean
}

export interface PullInit {
  readonly policy: PullPolicy
  readonly nodes: number
  /** Time between two pulls of one node, s; each asks one of its sources, drawn at random. */
  readonly intervalSeconds: number
  readonly sources: number
  /** New records a second in the whole network. */
  readonly recordRate: number
  /** Part of the announcements that a node misses, and how long the others are on their way, s. */
  readonly missed: number
  readonly underwaySeconds: number
  readonly sizes: Sizes
  readonly random: () => number
}

const buckets = 4_096
const pullsSimulated = 2_000

/** Mean bytes of a pull, both ways together. */
export function pullBytes(init: PullInit): number {
  const { policy, nodes, intervalSeconds, sources, sizes, random } = init
  const asked = new Map<number, number>()
  let bytes = 0
  for (let pull = 0; pull < pullsSimulated; pull++) {
    const at = pull * intervalSeconds
    const source = Math.floor(random() * sources)
    const before = policy.by === 'cursor' ? asked.get(source) : undefined
    asked.set(source, at)
    bytes += before === undefined ? byDigest(init) : byCursor(init, at - before)
    bytes += sizes.pullAnswer + (policy.hints ? nodes * sizes.hint : 0)
  }
  return bytes / pullsSimulated
}

/** What changed at the source since then, each record once, known here or not. */
function byCursor({ nodes, recordRate, sizes }: PullInit, elapsedSeconds: number): number {
  const changed = nodes * (1 - Math.exp((-recordRate * elapsedSeconds) / nodes))
  return sizes.cursorRequest + changed * sizes.record
}

/** All records of the buckets in which something differs. */
function byDigest({ nodes, recordRate, missed, underwaySeconds, intervalSeconds, sizes }: PullInit): number {
  const differing = recordRate * (underwaySeconds + missed * intervalSeconds)
  const touched = buckets * (1 - Math.exp(-differing / buckets))
  return sizes.digestRequest + touched * Math.max(1, nodes / buckets) * sizes.record
}
