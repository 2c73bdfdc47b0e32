import type { Registry } from '../../registry/registry.ts'
import { witnessesOf } from '../../registry/witness/entitled.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import type { Running, Supervisor } from '../../runtime/supervisor.ts'
import { span } from '../views/phrases.ts'

const lookMs = 5_000
/** Witnesses that start anew, or change their network, are no alarm. */
const patienceMs = 60_000

/** Raises the alarm when the log goes on for long without as many witnesses as the policy asks, once each time. */
export function watchFinality(services: Supervisor, registry: Registry, clock: Clock): Running {
  let raisedFor: number | undefined
  const round = (): void => {
    const { provisionalSinceMs: sinceMs, graceMs } = registry.finality
    if (sinceMs === undefined || sinceMs === raisedFor) return
    if (clock.now() - sinceMs < Math.min(patienceMs, graceMs / 2)) return
    raisedFor = sinceMs
    registry.alarms.raise('unwitnessed', textOf(registry), { final: registry.finality.place.n })
  }
  return services.run('witnesses', { everyMs: lookMs, round })
}

function textOf({ finality, replica }: Registry): string {
  const { place, needed, graceMs } = finality
  const all = witnessesOf(replica.state).length
  return `the log is final up to entry ${place.n} of ${replica.head.n}: too few witnesses have signed what follows, ${needed} of ${all} are needed; revokes count at once, and new members for ${span(graceMs)}, after which they are let out until the witnesses are back`
}
