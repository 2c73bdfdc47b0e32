import { setTimeout } from 'node:timers/promises'

/** Longest time of a timer, some 24 days: a longer one ends at once. */
export const longestTimerMs = 2 ** 31 - 1

/** Waits, also for longer than a timer does; rejects with the signal's reason. Keeps no process alive. */
export const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
  const options = { ref: false, ...(signal === undefined ? {} : { signal }) }
  try {
    let leftMs = ms
    for (; leftMs > longestTimerMs; leftMs -= longestTimerMs) await setTimeout(longestTimerMs, undefined, options)
    await setTimeout(leftMs, undefined, options)
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
