import type { Costs } from './costs.ts'
import { expectedOfNode } from './expected.ts'
import type { Scenario, Simulated } from './simulate.ts'
import type { Sizes } from './sizes.ts'

/** What a network of that size asks of one machine of each role. */
export interface Needs {
  readonly nodes: number
  readonly registries: number
  readonly sessions: number
  /** Connections of a registry. */
  readonly connections: number
  readonly registryCores: number
  readonly registryBytes: number
  /** Bytes a second that a registry sends to its subscribers and sessions. */
  readonly registrySent: number
  readonly nodeCores: number
  readonly nodeBytes: number
  readonly nodeReceived: number
  /** What a new node fetches, and how long it takes at the measured rate. */
  readonly firstSyncBytes: number
  readonly firstSyncSeconds: number
}

/** A message is verified twice: gossipsub's own signature, and that of the record. */
const signaturesPerMessage = 2
const sessionsMeasured = 10_000

/** From measured costs, and traffic as in `expectedOfNode`. `shape`: of a simulation; a mesh looks the same at each size. */
export function needsOf(scenario: Scenario, sizes: Sizes, costs: Costs, shape: Simulated): Needs {
  const { nodes, nodesPerRegistry, registriesWanted } = scenario
  const registries = Math.ceil(nodes / nodesPerRegistry)
  const sessions = nodes / registries
  const traffic = expectedOfNode(scenario, sizes, shape)
  const { gossip, push, session } = traffic
  const messages = gossip / (shape.copies * sizes.gossipRecord)
  const gossipCores = (messages * signaturesPerMessage * 2) / costs.verifies
  const pushes = push / (sizes.frame + sizes.checkpoint)
  const pushCores = (pushes * sessions * costs.heartbeatUs) / 1e6
  return {
    nodes,
    registries,
    sessions,
    connections: (nodes * Math.min(registriesWanted, registries)) / registries,
    registryCores: (costs.coresAt10k * sessions) / sessionsMeasured + gossipCores + pushCores,
    registryBytes: costs.idleBytes + costs.sessionBytes * sessions + costs.memberBytes * nodes,
    registrySent: (push + session) * sessions,
    nodeCores: gossipCores,
    nodeBytes: costs.idleBytes + costs.memberBytes * nodes,
    nodeReceived: Object.values(traffic).reduce((sum, each) => sum + each, 0),
    firstSyncBytes: nodes * (sizes.admitEntry + sizes.record),
    firstSyncSeconds: (2 * nodes) / costs.syncRows
  }
}
