import { versionInfo } from '../../runtime/version.ts'
import type { NodeContext } from '../node-context.ts'
import { phaseNames } from '../status/phases.ts'
import { counter, gauge, type Sample, type Value } from './sample.ts'

/** One service for each registry that is followed: its name holds the name of a member. */
const followPrefix = 'sync from '

/** Samples of the process itself, before its network was found and after. */
export const processSamples = (node: NodeContext): Sample[] => [
  buildInfo(node),
  ...phaseSamples(node),
  ...partSamples(node),
  ...serviceSamples(node)
]

const buildInfo = ({ config: { role } }: NodeContext): Sample => {
  const { version, commit, node } = versionInfo()
  const labels = { version, commit: commit ?? 'unknown', node_version: node, role }
  return gauge('trustnet_build_info', 'Program, Node.js and role of this process.', [[labels, 1]])
}

const phaseSamples = ({ phases }: NodeContext): Sample[] => {
  const reached = phases.reachedAfterMs
  const current = phaseNames.map((phase): Value => [{ phase }, phases.name === phase ? 1 : 0])
  const durations = phaseNames.flatMap((phase): Value[] => {
    const ms = reached[phase]
    return ms === null ? [] : [[{ phase }, ms / 1000]]
  })
  return [
    gauge('trustnet_phase', 'The phase that this node is in has 1.', current),
    gauge('trustnet_phase_reached_seconds', 'Time from the start until the phase was first reached.', durations),
    gauge('trustnet_phase_start_timestamp_seconds', 'When the present phase began.', phases.sinceMs / 1000),
    counter('trustnet_phase_changes_total', 'Changes of the phase.', phases.changes)
  ]
}

const serviceSamples = ({ announced }: NodeContext): Sample[] => {
  const services = announced.list()
  const checks = services.flatMap(({ name: service }): Value[] => {
    const counts = announced.checkOf({ name: service })?.counts
    return counts === undefined
      ? []
      : Object.entries(counts).map(([result, count]): Value => [{ service, result }, count])
  })
  return [
    gauge(
      'trustnet_service_state',
      'The state of a service that this node offers has 1.',
      services.map(({ name: service, state }): Value => [{ service, state }, 1])
    ),
    counter(
      'trustnet_service_checks_total',
      'Checks of the services that this node offers, by what came of them.',
      checks
    ),
    gauge('trustnet_maintenance', 'This node takes no work for a while: 1.', announced.maintenance !== undefined)
  ]
}

const partSamples = ({ services }: NodeContext): Sample[] => {
  const parts = services.parts.filter(({ name }) => !name.startsWith(followPrefix))
  const failing = parts.map(({ name, state }): Value => [{ part: name }, state === 'failing' ? 1 : 0])
  const errors = parts.map((part): Value => [{ part: part.name }, part.errors])
  return [
    gauge('trustnet_part_failing', 'A part of the process that fails has 1.', failing),
    counter('trustnet_part_errors_total', 'Failures of a part of the process.', errors)
  ]
}
