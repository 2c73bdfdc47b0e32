import { backgroundFailure } from '../runtime/background.ts'
import { ExitError, exitCodes } from './output/exit.ts'

interface FaultLog {
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Faults of this program that no code handled, for a daemon: warnings go to its log, anything else ends it with a word. */
export class Faults implements Disposable {
  readonly #log: FaultLog
  readonly #fatal = Promise.withResolvers<never>()

  constructor(log: FaultLog) {
    this.#log = log
    this.#fatal.promise.catch(() => {})
    process.on('unhandledRejection', this.#end)
    process.on('uncaughtException', this.#end)
    process.on('warning', this.#warn)
  }

  /** Rejects at the first fault that leaves the process in no known state. */
  get fatal(): Promise<never> {
    return this.#fatal.promise
  }

  readonly #end = (error: unknown): void => {
    const { message, stack } = error instanceof Error ? error : new Error(String(error))
    this.#log.error(
      { error: message, stack },
      'a failure that no code handled: this process stops in order, and its service manager starts it again'
    )
    const what = `A failure that no code handled: ${message}. This is a fault of TrustNet; the log has where it came from.`
    this.#fatal.reject(new ExitError(exitCodes.failure, what))
  }

  readonly #warn = (warning: Error & { detail?: string }): void => {
    if (warning.name === backgroundFailure) this.#log.error({ stack: warning.detail }, warning.message)
    else this.#log.warn({ warning: warning.name }, warning.message)
  };

  [Symbol.dispose](): void {
    process.off('unhandledRejection', this.#end)
    process.off('uncaughtException', this.#end)
    process.off('warning', this.#warn)
  }
}
