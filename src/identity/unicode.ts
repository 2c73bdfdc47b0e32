import { assignedRuns } from './assigned.ts'

/** The first code point of each run, in turn of runs that Unicode 15.0 assigns and does not. */
const edges: readonly number[] = edgesOf(assignedRuns)

function edgesOf(runs: string): number[] {
  let at = 0
  return runs.split(' ').map((length) => {
    at += Number.parseInt(length, 36)
    return at
  })
}

/**
 * True for a code point that Unicode 15.0 assigns. Text of such alone has the same normal forms in every later version too (the
 * stability policy of Unicode), so runtimes of different versions agree about it.
 */
export function isAssigned(code: number): boolean {
  let low = 0
  let high = edges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (Number(edges[middle]) <= code) low = middle + 1
    else high = middle
  }
  return low % 2 === 1
}
