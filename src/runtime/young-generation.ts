import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

const everyMs = 1_000
/** Size that a start makes it. Under load V8 would double it, for collections that are a little rarer, and keep that. */
const mostBytes = 64 * 2 ** 20

const sizeNow = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0

const look = (): void => setFlagsFromString(`--semi-space-growth-factor=${sizeNow() < mostBytes ? 2 : 1}`)

/** Keeps V8's young generation from growing beyond what a start makes it; one that a full collection has made small grows again. */
export const boundYoungGeneration = (): void => {
  look()
  setInterval(look, everyMs).unref()
}
