import { addAbortListener } from 'node:events'

/** The reason why a signal was aborted, as an error. */
export const abortReason = (signal: AbortSignal): Error => {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : new Error(String(reason))
}

/** Calls the listener when the signal fires, soon when it has fired before. Disposing of what it gives takes the listener away. */
export const onAbort = (signal: AbortSignal | undefined, listener: (reason: Error) => void): Disposable | undefined =>
  signal && addAbortListener(signal, () => listener(abortReason(signal)))

/** Resolves when the signal fires. */
export async function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  using _ = onAbort(signal, () => resolve())
  await promise
}

/** Settles as the promise does, or rejects with the signal's reason as soon as it fires. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const late = Promise.withResolvers<never>()
  using _ = onAbort(signal, late.reject)
  return await Promise.race([promise, late.promise])
}

/** A signal that fires with the first of these. */
export const either = (...signals: readonly (AbortSignal | undefined)[]): AbortSignal =>
  AbortSignal.any(signals.filter((signal) => signal !== undefined))

/** A signal that fires with this one, and after that time at the latest. */
export const within = (ms: number, signal: AbortSignal | undefined): AbortSignal =>
  either(AbortSignal.timeout(Math.ceil(ms)), signal)
