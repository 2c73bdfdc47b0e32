import { pullIntervalMs } from '../../src/node/replication/replicator.ts'
import { defaultLimits } from '../../src/protocols/engine/limits.ts'
import { pingIntervalMs, type Scenario, type Simulated, type Traffic } from './simulate.ts'
import type { Sizes } from './sizes.ts'

const daySeconds = 86_400

/**
 * What a node should receive, bytes a second, worked out on paper: the formulas of docs/scale.md. How many copies of a message come, and
 * how many peers are told ids, are those of the simulation.
 */
export function expectedOfNode(
  scenario: Scenario,
  sizes: Sizes,
  { copies, told }: Simulated
): Record<keyof Traffic, number> {
  const { nodes, refreshMs, restartsPerNodeAndDay, admittedPerDay, membershipDays, heartbeatMs, pullMs } = scenario
  const restarts = (nodes * restartsPerNodeAndDay) / daySeconds
  const refreshes = nodes / Math.max(refreshMs / 1_000, nodes)
  const admitted = (nodes * admittedPerDay) / daySeconds
  const renewed = nodes / ((membershipDays / 2) * daySeconds)
  const heads = 1 / 60 + admitted + renewed
  const records = restarts + refreshes
  const messages = records + heads
  const pullSeconds = pullIntervalMs(pullMs, nodes) / 1_000
  const pushes = Math.min(heads + 2 * restarts, 5_000 / perRegistry(scenario))
  return {
    gossip: copies * (records * sizes.gossipRecord + heads * sizes.gossipHead),
    // Each id is told for three seconds.
    'gossip ids': told * ((1 - Math.exp(-3 * messages)) * sizes.ihave + 3 * messages * sizes.ihaveId),
    push:
      pushes * sizes.frame +
      2 * restarts * sizes.hint +
      admitted * sizes.admitEntry +
      renewed * sizes.renewEntry +
      heads * sizes.checkpoint +
      records *
        (sizes.frame + sizes.record) *
        Math.min(1, defaultLimits.sync.recordSubscribers / perRegistry(scenario)),
    pull: (sizes.digestRequest + sizes.pullAnswer) / pullSeconds,
    session:
      (sizes.heartbeatAnswer * 1_000) / heartbeatMs + (sizes.ping * 1_000) / pingIntervalMs(perRegistry(scenario))
  }
}

const perRegistry = ({ nodes, nodesPerRegistry }: Scenario): number => nodes / Math.ceil(nodes / nodesPerRegistry)
