import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { putBetween, readResults } from '../harness/page.ts'
import { costsOf } from './costs.ts'
import { needsOf } from './needs.ts'
import { type Scenario, simulate } from './simulate.ts'
import { measureSizes } from './sizes.ts'
import { needsTable, trafficTable, unboundedTable } from './tables.ts'

const page = join('docs', 'scale.md')
const marks = { begin: '<!-- tables: written by `npm run scale`; do not edit -->', end: '<!-- end of tables -->' }

/** What docs/scale.md says of the network that it is about. */
const scenario: Scenario = {
  nodes: 10_000,
  seconds: 600,
  seed: 1,
  restartsPerNodeAndDay: 1,
  admittedPerDay: 0.001,
  membershipDays: 90,
  refreshMs: 600_000,
  nodesPerRegistry: 10_000,
  registriesWanted: 3,
  peersWanted: 10,
  heartbeatMs: 30_000,
  pullMs: 60_000,
  circle: 64,
  pull: { by: 'digest', hints: false }
}
/** Every member gossips with every registry, and pulls by cursor and with all hints. */
const unbounded: Scenario = { ...scenario, circle: scenario.nodes, pull: { by: 'cursor', hints: true } }

const sizes = measureSizes()
const progress = (text: string): void => void process.stderr.write(`scale: ${text}\n`)
progress(`simulating ${scenario.nodes} nodes for ${scenario.seconds} s`)
const simulated = simulate(scenario, sizes)
progress('the same without bounds')
const withoutBounds = simulate(unbounded, sizes)
const costs = costsOf(readResults(join('bench', 'results')))
const needs = [10_000, 100_000, 1_000_000].map((nodes) => needsOf({ ...scenario, nodes }, sizes, costs, simulated))
const tables = [
  trafficTable(scenario, sizes, simulated),
  unboundedTable(simulated, withoutBounds),
  needsTable(needs)
].join('\n\n')
writeFileSync(page, putBetween(readFileSync(page, 'utf8'), marks, tables))
process.stdout.write(`${tables}\n`)
