import { unknown } from './text.ts'

const bars = '▁▂▃▄▅▆▇█'
/** A slot that nobody saw. */
const gap = '·'

/** Percents as bars, the lowest for none of the time and the highest for all of it. */
export const sparkLine = (percents: readonly (number | null)[] | undefined): string => {
  if (percents === undefined || percents.every((percent) => percent === null)) return unknown
  return percents.map((percent) => (percent === null ? gap : barOf(percent))).join('')
}

/** Only what never was away has the highest bar, and only what never was there the lowest. */
const barOf = (percent: number): string => {
  if (percent >= 100) return bars.slice(-1)
  const at = percent <= 0 ? 0 : 1 + Math.floor((percent * (bars.length - 2)) / 100)
  return bars.charAt(at)
}
