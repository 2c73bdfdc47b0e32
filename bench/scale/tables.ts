import { short } from '../harness/table.ts'
import { expectedOfNode } from './expected.ts'
import type { Needs } from './needs.ts'
import { flows, type Scenario, type Simulated } from './simulate.ts'
import type { Sizes } from './sizes.ts'

type Cell = string | number

const line = (cells: readonly Cell[]): string =>
  `| ${cells.map((cell) => (typeof cell === 'number' ? short(cell) : cell)).join(' | ')} |`

const table = (head: readonly Cell[], rows: readonly (readonly Cell[])[]): string =>
  [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')

const gib = 1024 ** 3
const mib = 1024 ** 2

/** Simulated beside worked out. */
export function trafficTable(scenario: Scenario, sizes: Sizes, simulated: Simulated): string {
  const { nodes, seconds, seed } = scenario
  const expected = expectedOfNode(scenario, sizes, simulated)
  const { traffic, rate, copies, p50Ms, p99Ms } = simulated
  const title = `**Traffic of ${short(nodes)} nodes** (simulated for ${seconds} s, seed ${seed}), bytes a second:`
  const rows = flows.map((flow) => [
    flow,
    traffic[flow].node.received,
    expected[flow],
    expected[flow] / traffic[flow].node.received,
    traffic[flow].registry.received,
    traffic[flow].registry.sent
  ])
  const head = ['', 'node receives', 'on paper', 'ratio', 'registry receives', 'registry sends']
  const figures = `${short(rate)} messages a second, of each ${short(copies)} copies come to a node; half of the nodes have one after ${p50Ms} ms, 99 % after ${p99Ms} ms.`
  return `${title}\n\n${table(head, rows)}\n\n${figures}`
}

/** What the bounds are for. */
export function unboundedTable(bounded: Simulated, unbounded: Simulated): string {
  const rows = (['gossip ids', 'pull'] as const).map((flow) => [
    flow,
    bounded.traffic[flow].node.received,
    unbounded.traffic[flow].node.received,
    bounded.traffic[flow].registry.received,
    unbounded.traffic[flow].registry.received
  ])
  const head = ['', 'node', 'node, unbounded', 'registry', 'registry, unbounded']
  return `**What the bounds save**, bytes a second received:\n\n${table(head, rows)}`
}

/** From measured costs. */
export function needsTable(needs: readonly Needs[]): string {
  const row = (what: string, of: (need: Needs) => Cell): Cell[] => [what, ...needs.map(of)]
  const rows = [
    row('registries (root and secondaries)', ({ registries }) => registries),
    row('sessions of a registry', ({ sessions }) => sessions),
    row('connections of a registry', ({ connections }) => connections),
    row('cores of a registry', ({ registryCores }) => registryCores),
    row('memory of a registry, GiB', ({ registryBytes }) => registryBytes / gib),
    row('a registry sends, MB/s', ({ registrySent }) => registrySent / 1e6),
    row('cores of a node, for the signatures in gossip', ({ nodeCores }) => nodeCores),
    row('memory of a node, MiB', ({ nodeBytes }) => nodeBytes / mib),
    row('a node receives, kB/s', ({ nodeReceived }) => nodeReceived / 1e3),
    row('first sync of a node, MB', ({ firstSyncBytes }) => firstSyncBytes / 1e6),
    row('first sync of a node, s', ({ firstSyncSeconds }) => firstSyncSeconds)
  ]
  const head = ['nodes', ...needs.map(({ nodes }) => nodes)]
  return `**What a network needs**, from the measured costs:\n\n${table(head, rows)}`
}
