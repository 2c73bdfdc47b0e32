import { setTimeout } from 'node:timers/promises'

/** Waits; rejects with the signal's reason. Keeps no process alive. */
export const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
  try {
    await setTimeout(ms, undefined, { ref: false, ...(signal === undefined ? {} : { signal }) })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
