import { setTimeout as sleep } from 'node:timers/promises'
import type { ControlApi } from '../../node/api/control-api.ts'
import { either } from '../../runtime/abort.ts'

/** A burst of changes (a registry lost, a net split) is shown once: about as often as an eye follows. */
const settleMs = 200

/**
 * Yields at once, then after each burst of events of the process, and every `everyMs` when given. Ends with the signal; ends
 * too when the process is gone.
 */
export async function* changes(
  api: Pick<ControlApi, 'events'>,
  options: { signal: AbortSignal; everyMs: number | undefined }
): AsyncGenerator<void> {
  const ended = new AbortController()
  const signal = either(options.signal, ended.signal)
  let changed: PromiseWithResolvers<void> = Promise.withResolvers<void>()
  const over = new AbortController()
  const listening = (async () => {
    for await (const _ of api.events({ signal })) changed.resolve()
  })()
    .catch(() => undefined)
    .finally(() => {
      over.abort()
      changed.resolve()
    })
  try {
    while (!over.signal.aborted && !signal.aborted) {
      yield
      await (options.everyMs === undefined
        ? changed.promise
        : Promise.race([changed.promise, pause(options.everyMs, signal)]))
      if (over.signal.aborted) break
      await pause(settleMs, signal)
      changed = Promise.withResolvers<void>()
    }
  } finally {
    ended.abort()
    await listening
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined)
