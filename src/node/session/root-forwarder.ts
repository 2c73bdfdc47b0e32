import type { Forward } from '../../registry/admission/root-request-queue.ts'
import type { Registry } from '../../registry/registry.ts'
import { onAbort } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { Backoff } from '../../runtime/backoff.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import { sleep } from '../../runtime/sleep.ts'
import { backoffOf } from '../config/backoff.ts'
import type { Config } from '../config/schema.ts'

export interface RootWayInit {
  registry: Pick<Registry, 'admission' | 'events'>
  config: Pick<Config, 'replication'>
  logger: Logger
}

/**
 * The way to the root while a session leads there. What waits in the queue is sent when it opens and when something is added, and
 * again after a pause for as long as the root takes less than all: it may listen after its own start, be overloaded, or have a full disk.
 */
export class RootForwarder {
  readonly #init: RootWayInit
  #over = new AbortController()

  constructor(init: RootWayInit) {
    this.#init = init
  }

  open(forward: Forward): void {
    this.close()
    this.#init.registry.admission.forward = forward
    this.#over = new AbortController()
    inBackground(this.#replay(this.#over.signal), 'replaying queued requests')
  }

  close(): void {
    this.#init.registry.admission.forward = undefined
    this.#over.abort(new Error('no session leads to the root any more'))
  }

  async #replay(signal: AbortSignal): Promise<void> {
    const { registry, config } = this.#init
    const backoff = new Backoff(backoffOf(config))
    for (;;) {
      if ((await this.#send()) > 0) backoff.reset()
      if (signal.aborted) return
      if (registry.admission.queued === 0) await this.#added(signal)
      else await sleep(backoff.next(), signal).catch(() => {})
      if (signal.aborted) return
    }
  }

  async #send(): Promise<number> {
    const { registry, logger } = this.#init
    try {
      return await registry.admission.replayQueue()
    } catch (error) {
      logger.warn({ error: String(error) }, 'what waits for the root was not sent on; it is tried again in a moment')
      return 0
    }
  }

  /** Resolves when a request was added to the queue, or the way is closed. */
  async #added(signal: AbortSignal): Promise<void> {
    const { events } = this.#init.registry
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = (): void => resolve()
    events.addEventListener('queued', stop, { once: true })
    using _ = onAbort(signal, stop)
    await promise
    events.removeEventListener('queued', stop)
  }
}
