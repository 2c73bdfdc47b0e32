/** Why a signal was aborted, as an error. */
export const abortReason = (signal: AbortSignal): Error => {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : new Error(String(reason))
}
