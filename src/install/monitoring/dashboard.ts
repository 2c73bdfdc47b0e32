/** A query of a panel, and how its lines are called. */
type Query = readonly [expr: string, legend: string]

interface Panel {
  readonly title: string
  readonly unit: string
  readonly queries: readonly Query[]
}

const rate = (metric: string): string => `rate(${metric}{job="trustnet",instance=~"$instance"}[$__rate_interval])`
const of = (metric: string, more = ''): string => `${metric}{job="trustnet",instance=~"$instance"${more}}`
const quantile = (share: number, metric: string, by = ''): string =>
  `histogram_quantile(${share}, sum by (instance, le${by}) (${rate(`${metric}_bucket`)}))`

const panels: readonly Panel[] = [
  { title: 'Members by state', unit: 'short', queries: [[`sum by (state) (${of('trustnet_members')})`, '{{state}}']] },
  {
    title: 'Root, as each node sees it',
    unit: 'short',
    queries: [[`sum by (instance) (${of('trustnet_members', ',role="root",state=~"online|late"')})`, '{{instance}}']]
  },
  { title: 'Alarms', unit: 'short', queries: [[of('trustnet_alarm'), '{{instance}} {{code}}']] },
  { title: 'Leases', unit: 'short', queries: [[of('trustnet_leases'), '{{instance}}']] },
  {
    title: 'Heartbeat',
    unit: 's',
    queries: [[quantile(0.99, 'trustnet_heartbeat_duration_seconds'), '{{instance}} p99']]
  },
  { title: 'Age of the replica', unit: 's', queries: [[of('trustnet_sync_lag_seconds'), '{{instance}}']] },
  {
    title: 'Sync',
    unit: 's',
    queries: [[quantile(0.9, 'trustnet_sync_duration_seconds', ', kind'), '{{instance}} {{kind}} p90']]
  },
  {
    title: 'Push: time',
    unit: 's',
    queries: [
      [quantile(0.5, 'trustnet_push_delivery_seconds'), '{{instance}} p50'],
      [quantile(0.99, 'trustnet_push_delivery_seconds'), '{{instance}} p99']
    ]
  },
  {
    title: 'Push: share within 0.2 s',
    unit: 'percentunit',
    queries: [
      [
        `sum by (instance) (rate(${of('trustnet_push_delivery_seconds_bucket', ',le="0.2"')}[$__rate_interval])) / (sum by (instance) (${rate('trustnet_push_delivery_seconds_count')}) + sum by (instance) (rate(${of('trustnet_step_failures_total', ',step="push"')}[$__rate_interval])))`,
        '{{instance}}'
      ]
    ]
  },
  {
    title: 'Admissions, joins that wait, queue',
    unit: 'short',
    queries: [
      [`increase(${of('trustnet_admissions_total')}[$__rate_interval])`, '{{instance}} admitted'],
      [of('trustnet_joins_pending'), '{{instance}} wait for the operator'],
      [of('trustnet_queue_length'), '{{instance}} wait for the root']
    ]
  },
  {
    title: 'Commits',
    unit: 's',
    queries: [
      [quantile(0.99, 'trustnet_store_commit_duration_seconds'), '{{instance}} commit p99'],
      [quantile(0.99, 'trustnet_store_flush_duration_seconds'), '{{instance}} flush p99']
    ]
  },
  { title: 'Writes', unit: 'wps', queries: [[rate('trustnet_store_writes_total'), '{{instance}}']] },
  { title: 'Phase', unit: 'short', queries: [[`${of('trustnet_phase')} == 1`, '{{instance}} {{phase}}']] },
  {
    title: 'Connections and gossip',
    unit: 'short',
    queries: [
      [of('trustnet_member_connections'), '{{instance}} {{direction}}'],
      [of('trustnet_gossip_peers'), '{{instance}} gossip']
    ]
  },
  {
    title: 'Limits exceeded',
    unit: 'cps',
    queries: [[`sum by (instance, limit) (${rate('trustnet_limits_exceeded_total')}) > 0`, '{{instance}} {{limit}}']]
  },
  { title: 'Event loop lag', unit: 's', queries: [[of('nodejs_eventloop_lag_p99_seconds'), '{{instance}} p99']] },
  { title: 'Memory', unit: 'bytes', queries: [[of('process_resident_memory_bytes'), '{{instance}}']] },
  { title: 'CPU', unit: 'percentunit', queries: [[rate('process_cpu_seconds_total'), '{{instance}}']] }
]

const datasource = { type: 'prometheus', uid: '$datasource' }
const columns = 3
const width = 8
const height = 7

const panelOf = ({ title, unit, queries }: Panel, at: number) => ({
  id: at + 1,
  type: 'timeseries',
  title,
  datasource,
  gridPos: { x: (at % columns) * width, y: Math.floor(at / columns) * height, w: width, h: height },
  fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
  targets: queries.map(([expr, legendFormat], index) => ({
    refId: String.fromCodePoint(65 + index),
    datasource,
    expr,
    legendFormat
  }))
})

/** Queries of all panels. */
export const queries = (): string[] => panels.flatMap((panel) => panel.queries.map(([expr]) => expr))

/** Dashboard of Grafana, as it is imported or provisioned. */
export const dashboardText = (): string =>
  `${JSON.stringify(
    {
      uid: 'trustnet',
      title: 'TrustNet',
      tags: ['trustnet'],
      schemaVersion: 39,
      refresh: '30s',
      time: { from: 'now-6h', to: 'now' },
      templating: {
        list: [
          { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Data source' },
          {
            name: 'instance',
            type: 'query',
            label: 'Node',
            datasource,
            query: { query: 'label_values(trustnet_build_info, instance)', refId: 'instance' },
            refresh: 2,
            includeAll: true,
            multi: true
          }
        ]
      },
      panels: panels.map(panelOf)
    },
    undefined,
    2
  )}\n`
