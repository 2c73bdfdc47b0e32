/** Median of the rounds, with the best and the worst of them. */
export interface Spread {
  median: number
  min: number
  max: number
}

const ascending = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b)

/** The value below which that part of all lies. NaN for no values. */
export const quantile = (values: readonly number[], part: number): number => {
  const sorted = ascending(values)
  const at = (sorted.length - 1) * part
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

export const spreadOf = (values: readonly number[]): Spread => ({
  median: quantile(values, 0.5),
  min: Math.min(...values),
  max: Math.max(...values)
})

/** Largest number of these times, in ms, that lie within one second. */
export function mostWithinOneSecond(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b)
  let first = 0
  return Math.max(
    ...sorted.map((at, index) => {
      while (at - (sorted[first] ?? at) >= 1_000) first++
      return index - first + 1
    })
  )
}
