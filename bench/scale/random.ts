/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Seconds until the next of events that come at this rate, each by itself. */
export const nextAfter = (perSecond: number, random: () => number): number => -Math.log(1 - random()) / perSecond

/** Times of such events within a span, s, ascending. */
export function eventTimes(perSecond: number, seconds: number, random: () => number): number[] {
  const times: number[] = []
  for (let at = nextAfter(perSecond, random); at < seconds; at += nextAfter(perSecond, random)) times.push(at)
  return times
}
