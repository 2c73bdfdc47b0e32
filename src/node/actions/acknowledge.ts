import { NotFoundError, UnavailableError } from '../../runtime/errors.ts'
import type { AckView, Warning } from '../api/control-api.ts'
import type { NodeContext } from '../node-context.ts'
import type { Notice, Notices } from '../status/notices.ts'
import { kitMovedKey, type StatusFacts } from '../status/status-facts.ts'
import { kitCode, noticesOf } from '../status/status-warnings.ts'

/** The warnings that hold now; a kit that is in a safe place is seen. */
export function warningsOf(node: NodeContext, notices: Notices, facts: StatusFacts): Warning[] {
  const isConfirmed = node.isStopping || node.network?.registry.meta.get(kitMovedKey) !== undefined
  const marked = noticesOf(facts).map(
    (notice): Notice => (notice.code === kitCode && isConfirmed ? { ...notice, acknowledged: true } : notice)
  )
  return notices.mark(marked, node.clock)
}

/** Takes a warning or alarm out of the status word. @throws NotFoundError when none of that code holds; UnavailableError */
export async function acknowledge(
  node: NodeContext,
  notices: Notices,
  facts: StatusFacts,
  given: string
): Promise<AckView> {
  const code = given.replaceAll('-', '_')
  if (node.isStopping) throw new UnavailableError('this process stops', 2_000)
  warningsOf(node, notices, facts)
  if (node.network !== undefined && code === kitCode) return await kitMoved(node.network.registry, facts)
  const alarms = node.network?.registry.alarms
  const isAlarm = alarms?.list().some((alarm) => alarm.code === code) === true
  if (isAlarm) alarms.acknowledge(code)
  else if (!notices.acknowledge(code)) {
    throw new NotFoundError(`there is no warning or alarm ${given} now: \`trustnet status\` lists them`)
  }
  node.changed()
  const until = isAlarm ? '; it is raised again when it happens again' : ', until it ends'
  return { code, message: `acknowledged${until}` }
}

const kitMoved = async (
  { meta }: { meta: { set(key: string, value: Uint8Array): Promise<unknown> } },
  { network }: StatusFacts
): Promise<AckView> => {
  const kit = network?.kit
  if (kit === undefined || kit.state === 'none') {
    throw new NotFoundError('this machine has no recovery kit: it is made on the machine of the root')
  }
  await meta.set(kitMovedKey, Uint8Array.of(1))
  const message =
    kit.state === 'here'
      ? `noted; ${kit.path} is still here: delete it once the copy is safe`
      : 'noted: the kit is in a safe place'
  return { code: kitCode, message }
}
