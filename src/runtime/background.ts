/** Name of the process warnings that `inBackground` gives. */
export const backgroundFailure = 'BackgroundFailure'

/**
 * Work that nobody waits for. Its failure is a fault of this program, told as a process warning, which a daemon writes to its log; it never
 * becomes an unhandled rejection, which would end the process. `what` begins the message: 'saving liveness'.
 */
export function inBackground(work: Promise<unknown> | undefined, what: string): void {
  work?.catch((error: unknown) => {
    const { message, stack } = error instanceof Error ? error : new Error(String(error))
    process.emitWarning(`${what} failed: ${message}; this process goes on without it`, {
      type: backgroundFailure,
      ...(stack !== undefined && { detail: stack })
    })
  })
}

/** Keeps the process alive until it is disposed of, where all that goes on is pauses, whose timers do not. */
export function stayAlive(): Disposable {
  const timer = setInterval(() => {}, 60_000)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
