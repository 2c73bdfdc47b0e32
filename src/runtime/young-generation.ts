import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

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

/**
 * Bytes of buffers that were made before those that are over are freed. V8 counts what is outside of its heap, and would begin a full
 * collection after some 16 MiB: with a stream of 100 MiB per second, a third of the work of a process. A young one takes a millisecond.
 */
const bufferBytes = 4 * 2 ** 20

let bytes = 0
let collect: (() => void) | undefined

/** Counts a buffer that nobody needs for long, and frees those before it when they are many. */
export function countBuffer(length: number): void {
  bytes += length
  if (bytes < bufferBytes) return
  bytes = 0
  collect ??= youngCollection()
  setImmediate(collect)
}

/** V8 gives it to contexts that are made while its flag is set: to this one alone, unless the program was started with that. */
function youngCollection(): () => void {
  if (globalThis.gc !== undefined) return collectionBy(globalThis.gc)
  setFlagsFromString('--expose-gc')
  const gc: unknown = runInNewContext('globalThis.gc')
  setFlagsFromString('--no-expose-gc')
  return collectionBy(gc)
}

const collectionBy = (gc: unknown) => (): void => {
  if (typeof gc === 'function') Reflect.apply(gc, undefined, [{ type: 'minor' }])
}
