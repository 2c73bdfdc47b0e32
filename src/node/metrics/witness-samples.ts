import type { Registry } from '../../registry/registry.ts'
import { witnessesOf } from '../../registry/witness/entitled.ts'
import { gauge, type Sample } from './sample.ts'

/** Words of witnesses about the log, as they are known here. */
export const witnessSamples = ({ cosignatures, finality, replica }: Registry): Sample[] => {
  const { needed, place, provisionalSinceMs } = finality
  const { checkpoint } = replica
  const witnessed = cosignatures.witnessed(Math.max(1, needed))
  return [
    gauge('trustnet_witnesses', 'Witnesses of the network.', witnessesOf(replica.state).length),
    gauge('trustnet_witnesses_needed', 'Witnesses that the head of the log needs, by the policy.', needed),
    gauge(
      'trustnet_witnesses_at_head',
      'Witnesses that stand for the newest checkpoint.',
      checkpoint && cosignatures.standingFor(checkpoint)
    ),
    gauge(
      'trustnet_witnessed_after_seconds',
      'Time from the signature of the newest witnessed head until as many witnesses as it needs were heard here.',
      witnessed && witnessed.afterMs / 1_000
    ),
    gauge('trustnet_log_final', 'Number of the newest entry for which enough witnesses stand.', place.n),
    gauge(
      'trustnet_log_provisional_timestamp_seconds',
      'Since when a part of the log has too few witnesses; none: it has enough.',
      provisionalSinceMs === undefined ? undefined : provisionalSinceMs / 1_000
    )
  ]
}
