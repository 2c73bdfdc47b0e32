import { durationText } from '../../runtime/steady-clock.ts'
import type { ClockView } from '../api/registry-views.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { whoAsks } from '../views/operator-names.ts'

/** View of the clocks of this process and its log. */
export function clockView(node: NodeContext, { registry }: NetworkNode): ClockView {
  const { clock } = node
  const { stepMs } = clock
  const nowMs = clock.now()
  const { root, replica } = registry
  const said =
    stepMs === undefined
      ? 'the clock of this machine is followed'
      : `the clock of this machine has stepped by ${durationText(stepMs)} while it ran: the time before goes on here`
  return {
    nowMs,
    wallMs: nowMs + (stepMs ?? 0),
    stepMs: stepMs ?? null,
    checkpointMs: replica.checkpoint?.value.timeMs ?? null,
    appends: root === undefined ? null : root.refusal === undefined,
    message: root?.refusal?.message ?? said
  }
}

/** The operator's word that the clock of this machine is right now. @throws as Root.acceptClock */
export async function acceptClock(node: NodeContext, network: NetworkNode): Promise<ClockView> {
  const { registry } = network
  const { root } = registry
  const { stepMs } = node.clock
  node.clock.accept?.()
  if (root !== undefined) await root.acceptClock()
  const fields = { by: whoAsks(registry), ...(stepMs !== undefined && { step: durationText(stepMs) }) }
  node.logging.logger.warn(fields, 'An operator says that the clock of this machine is right: it is followed')
  return clockView(node, network)
}
