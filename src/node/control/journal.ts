import type { Route } from '../api/route.ts'
import type { NodeContext } from '../node-context.ts'
import { whoAsks } from '../views/operator-names.ts'

/** Calls that say in the log themselves who gave them, and steps of a call that an operator signs. */
const ownLines: ReadonlySet<string> = new Set([
  'reload',
  'evict',
  'acceptClock',
  'dismissVoid',
  'resume',
  'beginOrdered',
  'signOrdered'
])

/**
 * Writer of a line about who gave a call that changes something, for when it was carried out; undefined: the call changes nothing, says so itself, or
 * makes an entry of the log of the network, which names the operator.
 */
export function journalOf(
  { logging, network, isStopping }: NodeContext,
  call: string,
  { writes, needs }: Pick<Route, 'writes' | 'needs'>,
  input: object
): (() => void) | undefined {
  const isPlan = 'plan' in input && input.plan === true
  const isEntry = needs === 'operator' && call !== 'reject' && call !== 'withdrawOrder'
  if (!writes || isPlan || isEntry || ownLines.has(call)) return undefined
  const by = whoAsks(isStopping ? undefined : network?.registry)
  return () => logging.logger.info({ by, command: call }, 'a command was carried out')
}
