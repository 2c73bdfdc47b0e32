import type { Registry } from '../../registry/registry.ts'
import type { StatusView } from '../api/views.ts'

/** The newest head for which as many witnesses stand as the policy needs; one, where it needs none. */
export function witnessedView({ cosignatures, finality }: Registry): StatusView['sync']['witnessed'] {
  const { needed } = finality
  const witnessed = cosignatures.witnessed(Math.max(1, needed))
  if (witnessed === undefined) return null
  const { checkpoint, by, of, afterMs } = witnessed
  const { epoch, n: head } = checkpoint.value
  return { epoch, head, by, of, needed, afterMs: Math.round(afterMs) }
}

/** The part of the log for which too few witnesses stand. */
export function provisionalView({ finality }: Registry): StatusView['sync']['provisional'] {
  const { provisionalSinceMs: sinceMs, place, graceMs } = finality
  return sinceMs === undefined ? null : { final: place.n, sinceMs, graceMs }
}
