import type { PendingJoin } from '../../registry/events.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import type { RejectedView, WaitingQuery } from '../api/control-api.ts'

/** Turns all away that wait at this root and fit. */
export const rejectAllWaiting = async (
  { registry, clock }: { registry: Registry; clock: Clock },
  { olderMs = 0, matching = '*' }: WaitingQuery,
  reason: string
): Promise<RejectedView> => {
  const newestMs = clock.now() - olderMs
  const parts = matching.split('*')
  const fits = ({ name, sinceMs }: PendingJoin): boolean => sinceMs <= newestMs && hasParts(name, parts)
  return { schemaVersion: 1, rejected: await registry.admission.rejectAll(fits, reason) }
}

/** Whether the text has these parts one after the other, the first at its begin and the last at its end. */
const hasParts = (text: string, [first = '', ...others]: readonly string[]): boolean => {
  if (!text.startsWith(first)) return false
  const last = others.pop()
  if (last === undefined) return text === first
  let at = first.length
  for (const part of others) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}
