import { stringify } from 'yaml'

/** An alert rule of Prometheus. */
export interface Alert {
  readonly alert: string
  readonly expr: string
  readonly for: string
  readonly labels: { readonly severity: 'critical' | 'warning' }
  readonly annotations: { readonly summary: string; readonly description: string }
}

const rule = (
  alert: string,
  severity: 'critical' | 'warning',
  condition: { expr: string; for: string },
  words: { summary: string; description: string }
): Alert => ({ alert, ...condition, labels: { severity }, annotations: words })

const critical: readonly Alert[] = [
  rule(
    'TrustNetNodeDown',
    'critical',
    { expr: 'up{job="trustnet"} == 0', for: '2m' },
    {
      summary: 'The process at {{ $labels.instance }} does not answer.',
      description:
        'Its /metrics cannot be read. Look at the service: `systemctl status trustnet-NAME`, or `trustnet status` there.'
    }
  ),
  rule(
    'TrustNetRootDown',
    'critical',
    { expr: 'sum by (instance) (trustnet_members{role="root",state=~"online|late"}) == 0', for: '2m' },
    {
      summary: 'The root is not up, as {{ $labels.instance }} sees it.',
      description:
        'Nobody is admitted, renewed or revoked; everything else goes on. Start the root, or make another one: docs/operations.md.'
    }
  ),
  rule(
    'TrustNetLogForked',
    'critical',
    { expr: 'trustnet_log_forked == 1', for: '0s' },
    {
      summary: 'Two histories of the log were seen at {{ $labels.instance }}.',
      description: 'Neither is followed until there is a new epoch. `trustnet registry status` shows the proof.'
    }
  ),
  rule(
    'TrustNetStoreFailing',
    'critical',
    { expr: 'trustnet_store_failing == 1', for: '30s' },
    {
      summary: 'The store of {{ $labels.instance }} takes nothing.',
      description: 'The disk is full, or fails. What must be stored is refused until it can be.'
    }
  ),
  rule(
    'TrustNetRootStopped',
    'critical',
    { expr: 'trustnet_log_appends == 0', for: '2m' },
    {
      summary: 'The root at {{ $labels.instance }} runs and appends nothing.',
      description: '`trustnet registry status` there says why, and what to do.'
    }
  ),
  rule(
    'TrustNetAlarm',
    'critical',
    { expr: 'trustnet_alarm == 1', for: '0s' },
    {
      summary: 'Alarm {{ $labels.code }} at {{ $labels.instance }}.',
      description:
        '`trustnet status` there says what happened; `trustnet status --acknowledge {{ $labels.code }}` ends it.'
    }
  ),
  rule(
    'TrustNetRootStoreDown',
    'critical',
    { expr: 'trustnet_root_store_reached == 0', for: '1m' },
    {
      summary: 'The database of the log is not reached from {{ $labels.instance }}.',
      description: 'Nobody is admitted or removed when no root reaches it. `trustnet registry status` there says why.'
    }
  )
]

const warnings: readonly Alert[] = [
  rule(
    'TrustNetNoLease',
    'warning',
    { expr: 'trustnet_lease_held == 0 unless on (instance) trustnet_build_info{role="root"}', for: '5m' },
    {
      summary: 'No registry holds the lease of {{ $labels.instance }}.',
      description: 'The others soon call it offline. `trustnet status` there says what was tried.'
    }
  ),
  rule(
    'TrustNetMembersDown',
    'warning',
    { expr: 'sum by (instance) (trustnet_members{state=~"suspect|offline"}) > 0', for: '10m' },
    {
      summary: '{{ $value }} members are down, as {{ $labels.instance }} sees it.',
      description: '`trustnet peers --state offline` names them, with the reason and since when.'
    }
  ),
  rule(
    'TrustNetReplicaBehind',
    'warning',
    { expr: 'trustnet_sync_lag_seconds > 300', for: '5m' },
    {
      summary: 'The replica of {{ $labels.instance }} is {{ $value | humanizeDuration }} old.',
      description: 'The root writes a checkpoint a minute: this node hears of none, or the root is down.'
    }
  ),
  rule(
    'TrustNetUnwitnessed',
    'warning',
    { expr: 'time() - trustnet_log_provisional_timestamp_seconds > 120', for: '1m' },
    {
      summary: 'Too few witnesses sign the log that {{ $labels.instance }} holds, for {{ $value | humanizeDuration }}.',
      description:
        'New members count until the grace of the policy is over. `trustnet registry checkpoint` names the witnesses that signed; look at the machines of the others.'
    }
  ),
  rule(
    'TrustNetMembershipEnds',
    'warning',
    { expr: 'trustnet_membership_expiry_timestamp_seconds - time() < 7 * 86400', for: '1h' },
    {
      summary: 'The membership of {{ $labels.instance }} ends in {{ $value | humanizeDuration }}.',
      description: 'It renews itself at half of its time: the root was away for long, or refuses it.'
    }
  ),
  rule(
    'TrustNetPushSlow',
    'warning',
    {
      expr: 'histogram_quantile(0.99, sum by (instance, le) (rate(trustnet_push_delivery_seconds_bucket[5m]))) > 1',
      for: '10m'
    },
    {
      summary: 'Changes take {{ $value | humanizeDuration }} to reach subscribers of {{ $labels.instance }}.',
      description: 'This registry has more to do than it can, or its links are slow.'
    }
  ),
  rule(
    'TrustNetEventLoopSlow',
    'warning',
    { expr: 'nodejs_eventloop_lag_p99_seconds{job="trustnet"} > 0.5', for: '10m' },
    {
      summary: 'The process at {{ $labels.instance }} is held up for {{ $value | humanizeDuration }}.',
      description: 'Heartbeats come late when it goes on: give the machine more CPU, or the network one more registry.'
    }
  ),
  rule(
    'TrustNetLimitsExceeded',
    'warning',
    { expr: 'sum by (instance, limit) (rate(trustnet_limits_exceeded_total[5m])) > 1', for: '10m' },
    {
      summary: 'Somebody goes beyond {{ $labels.limit }} at {{ $labels.instance }}.',
      description: '`trustnet status --json` names who (`limits`); docs/security.md has what each limit is for.'
    }
  ),
  rule(
    'TrustNetBackupOld',
    'warning',
    { expr: 'time() - trustnet_backup_timestamp_seconds > 86400', for: '1h' },
    {
      summary: 'The last backup of {{ $labels.instance }} is {{ $value | humanizeDuration }} old.',
      description: '`trustnet registry backup` makes one and says what fails.'
    }
  ),
  rule(
    'TrustNetBackupMissing',
    'warning',
    { expr: 'trustnet_backup_interval_seconds unless on (instance) trustnet_backup_timestamp_seconds', for: '1h' },
    {
      summary: 'There was no backup of {{ $labels.instance }} yet.',
      description: '`trustnet registry backup` makes one and says what fails.'
    }
  ),
  rule(
    'TrustNetRootStoreWeak',
    'warning',
    { expr: 'trustnet_root_store_weaknesses > 0', for: '5m' },
    {
      summary: 'The database of the log may lose what it has answered.',
      description: '`trustnet registry status` at {{ $labels.instance }} names the settings.'
    }
  ),
  rule(
    'TrustNetNoCandidate',
    'warning',
    { expr: 'trustnet_root_store_lease == 1 and on (instance) trustnet_root_store_candidates == 0', for: '5m' },
    {
      summary: 'Nobody takes the place of the root {{ $labels.instance }} when it is lost.',
      description: 'Start the candidates; one that cannot take its place says why in `trustnet status`.'
    }
  ),
  rule(
    'TrustNetCandidateUnfit',
    'warning',
    { expr: 'trustnet_root_store_stands == 0 or trustnet_root_store_lag > 1000', for: '5m' },
    {
      summary: 'The candidate {{ $labels.instance }} cannot take the place of the root now.',
      description: '`trustnet status` there says why: its log key, mostly, or its log is far behind.'
    }
  )
]

export const alerts: readonly Alert[] = [...critical, ...warnings]

/** File of alert rules, as Prometheus reads it. `wait` takes the place of every wait, for a try. */
export const rulesText = (wait?: string): string =>
  stringify(
    {
      groups: [{ name: 'trustnet', rules: alerts.map((each) => ({ ...each, for: wait ?? each.for })) }]
    },
    { lineWidth: 0 }
  )
