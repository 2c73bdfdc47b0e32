import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { dashboardText, queries } from '../../../../src/install/monitoring/dashboard.ts'
import { alerts, rulesText } from '../../../../src/install/monitoring/rules.ts'
import { commandTree } from '../../../helpers/commands/command-tree.ts'
import { tempFolder } from '../../../helpers/temp.ts'

// docs/monitoring is made from src/install/monitoring; `npx vitest run test/unit/install/monitoring -u` writes it anew.

test('the files for those who install by hand are those that the installer writes', async () => {
  await expect(rulesText()).toMatchFileSnapshot('../../../../docs/monitoring/trustnet.rules.yml')
  await expect(dashboardText()).toMatchFileSnapshot('../../../../docs/monitoring/trustnet.dashboard.json')
})

/** Input series of a test: a metric with its labels, and a value each minute. */
type Series = Readonly<Record<string, string>>

const down = { role: 'root', state: 'online' }
const instance = 'instance="a",job="trustnet"'

/** For each alert series that make it fire within two hours, and what keeps it quiet. */
const fires: Readonly<Record<string, Series>> = {
  TrustNetNodeDown: { [`up{${instance}}`]: '0x130' },
  TrustNetRootDown: { [`trustnet_members{${instance},role="${down.role}",state="${down.state}"}`]: '0x130' },
  TrustNetLogForked: { [`trustnet_log_forked{${instance}}`]: '1x130' },
  TrustNetStoreFailing: { [`trustnet_store_failing{${instance}}`]: '1x130' },
  TrustNetRootStopped: { [`trustnet_log_appends{${instance}}`]: '0x130' },
  TrustNetAlarm: { [`trustnet_alarm{${instance},code="log_fork"}`]: '1x130' },
  TrustNetNoLease: { [`trustnet_lease_held{${instance}}`]: '0x130' },
  TrustNetMembersDown: { [`trustnet_members{${instance},role="integrated",state="offline"}`]: '2x130' },
  TrustNetReplicaBehind: { [`trustnet_sync_lag_seconds{${instance}}`]: '0+60x130' },
  TrustNetUnwitnessed: { [`trustnet_log_provisional_timestamp_seconds{${instance}}`]: '0x130' },
  TrustNetMembershipEnds: { [`trustnet_membership_expiry_timestamp_seconds{${instance}}`]: '500000x130' },
  TrustNetPushSlow: {
    [`trustnet_push_delivery_seconds_bucket{${instance},le="1"}`]: '0x130',
    [`trustnet_push_delivery_seconds_bucket{${instance},le="5"}`]: '0+60x130',
    [`trustnet_push_delivery_seconds_bucket{${instance},le="+Inf"}`]: '0+60x130'
  },
  TrustNetEventLoopSlow: { [`nodejs_eventloop_lag_p99_seconds{${instance}}`]: '0.7x130' },
  TrustNetLimitsExceeded: { [`trustnet_limits_exceeded_total{${instance},limit="stream.slow"}`]: '0+120x130' },
  TrustNetBackupOld: { [`trustnet_backup_timestamp_seconds{${instance}}`]: '-90000x130' },
  TrustNetBackupMissing: { [`trustnet_backup_interval_seconds{${instance}}`]: '86400x130' },
  TrustNetRootStoreDown: { [`trustnet_root_store_reached{${instance}}`]: '0x130' },
  TrustNetRootStoreWeak: { [`trustnet_root_store_weaknesses{${instance}}`]: '1x130' },
  TrustNetNoCandidate: {
    [`trustnet_root_store_lease{${instance}}`]: '1x130',
    [`trustnet_root_store_candidates{${instance}}`]: '0x130'
  },
  TrustNetCandidateUnfit: { [`trustnet_root_store_stands{${instance}}`]: '0x130' }
}

const quiet: Series = {
  [`up{${instance}}`]: '1x130',
  [`trustnet_members{${instance},role="root",state="online"}`]: '1x130',
  [`trustnet_members{${instance},role="integrated",state="offline"}`]: '0x130',
  [`trustnet_members{${instance},role="integrated",state="left"}`]: '3x130',
  [`trustnet_log_forked{${instance}}`]: '0x130',
  [`trustnet_store_failing{${instance}}`]: '0x130',
  [`trustnet_log_appends{${instance}}`]: '1x130',
  [`trustnet_alarm{${instance},code="log_fork"}`]: '0x130',
  // A root holds no lease.
  [`trustnet_lease_held{${instance}}`]: '0x130',
  [`trustnet_build_info{${instance},role="root"}`]: '1x130',
  [`trustnet_sync_lag_seconds{${instance}}`]: '59x130',
  [`trustnet_log_provisional_timestamp_seconds{${instance}}`]: '0+60x130',
  [`trustnet_membership_expiry_timestamp_seconds{${instance}}`]: '7776000x130',
  [`trustnet_push_delivery_seconds_bucket{${instance},le="1"}`]: '0+60x130',
  [`trustnet_push_delivery_seconds_bucket{${instance},le="+Inf"}`]: '0+60x130',
  [`nodejs_eventloop_lag_p99_seconds{${instance}}`]: '0.02x130',
  [`trustnet_limits_exceeded_total{${instance},limit="stream.slow"}`]: '7x130',
  [`trustnet_backup_timestamp_seconds{${instance}}`]: '0+60x130',
  [`trustnet_backup_interval_seconds{${instance}}`]: '86400x130',
  [`trustnet_root_store_reached{${instance}}`]: '1x130',
  [`trustnet_root_store_weaknesses{${instance}}`]: '0x130',
  [`trustnet_root_store_lease{${instance}}`]: '1x130',
  [`trustnet_root_store_candidates{${instance}}`]: '1x130',
  [`trustnet_root_store_stands{${instance}}`]: '1x130',
  [`trustnet_root_store_lag{${instance}}`]: '3x130'
}

const seriesOf = (series: Series) => Object.entries(series).map(([name, values]) => ({ series: name, values }))

/** Case for promtool: how many alerts of these names the series make fire. */
const caseOf = (names: string, series: Series, isFiring: boolean) => ({
  interval: '1m',
  input_series: seriesOf(series),
  promql_expr_test: [
    {
      expr: `count(ALERTS{alertname=~"${names}",alertstate="firing"})`,
      eval_time: '2h',
      exp_samples: isFiring ? [{ labels: '{}', value: 1 }] : []
    }
  ]
})

test('every alert fires for what it is for, and none while all is well', () => {
  using folder = tempFolder()
  expect(Object.keys(fires).toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted())
  writeFileSync(join(folder.path, 'rules.yml'), rulesText())
  execFileSync('promtool', ['check', 'rules', join(folder.path, 'rules.yml')])
  const tests = [
    ...Object.entries(fires).map(([alert, series]) => caseOf(alert, series, true)),
    caseOf('.+', quiet, false)
  ]
  const file = join(folder.path, 'test.yml')
  writeFileSync(file, stringify({ rule_files: ['rules.yml'], evaluation_interval: '1m', tests }))
  execFileSync('promtool', ['test', 'rules', file], { encoding: 'utf8', stdio: 'pipe' })
})

/** Has promtool read queries, as rules that record them. @throws for one that it cannot read */
const readByPrometheus = (exprs: readonly string[]): void => {
  using folder = tempFolder()
  const rules = exprs.map((expr, at) => ({ record: `trustnet:panel_${at}`, expr }))
  const file = join(folder.path, 'panels.yml')
  writeFileSync(file, stringify({ groups: [{ name: 'dashboard', rules }] }))
  execFileSync('promtool', ['check', 'rules', file], { encoding: 'utf8', stdio: 'pipe' })
}

test('queries of the dashboard are such that Prometheus reads them', () => {
  // Grafana puts the range in.
  const exprs = queries().map((expr) => expr.replaceAll('$__rate_interval', '5m'))
  expect(exprs.length).toBeGreaterThan(15)
  readByPrometheus(exprs)
  expect(() => readByPrometheus([`${exprs[0]} by`])).toThrow('panels.yml')
})

/** Names of metrics that a text of queries asks for. */
const asked = (text: string): string[] => [...new Set(text.match(/\b(?:trustnet|nodejs|process)_[a-z0-9_]+/g))]

test('queries of rules and dashboard ask for metrics that the page lists', () => {
  const page = readFileSync('docs/monitoring.md', 'utf8')
  const names = asked([...queries(), ...alerts.map(({ expr }) => expr)].join('\n'))
  const bare = names.map((name) => name.replace(/_(?:bucket|count)$/, ''))
  expect(bare.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
})

test('alerts tell the operator to run commands and options that there are', async () => {
  const tree = await commandTree()
  const named = alerts.flatMap(({ annotations: { description } }) => description.match(/(?<=`trustnet )[^`]+/g) ?? [])
  expect(named.length).toBeGreaterThan(5)
  const unknown = named.filter((line) => {
    const words = /^[a-z ]+/.exec(line)?.[0].trim()
    const command = tree.find((each) => each.acts && each.words.join(' ') === words)?.command
    const flags = line.match(/--[a-z-]+/g) ?? []
    return command === undefined || flags.some((flag) => command.options.every(({ long }) => long !== flag))
  })
  expect(unknown).toEqual([])
})
