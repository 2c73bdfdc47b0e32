import { LogMismatchError, RefusedError } from '../../runtime/errors.ts'
import { OrderedCalls, type RemoteAuthor } from '../actions/ordered.ts'
import { requireNetwork, requireRoot } from '../actions/require.ts'
import type { CallOptions, ControlApi } from '../api/control-api.ts'
import type { Route } from '../api/route.ts'
import { routes } from '../api/routes.ts'
import type { NodeContext } from '../node-context.ts'
import { Notices } from '../status/notices.ts'
import { stampNow } from '../views/refs.ts'
import { changeFeed } from './change-feed.ts'
import { type Asked, type AskedNetwork, type AskedOperator, handlers } from './handlers.ts'
import { orderedInput } from './input.ts'
import { journalOf } from './journal.ts'
import { isKept, lateAnswersOf } from './kept-calls.ts'

/** Deadline of calls that nobody gave one. */
const callMs = 30_000
/** The same where an operator signs in between. */
const orderedMs = 150_000

/** The API of this process: each handler behind what its route needs. */
export const createControl = (node: NodeContext): ControlApi => {
  const late = lateAnswersOf(node)
  const shared = { node, notices: new Notices(), ordered: new OrderedCalls(late), run }
  const calls = Object.entries<Route>(routes).map(([name, route]) => {
    const { needs } = route
    const handler: AnyHandler = Reflect.get(handlers, name)
    const made = async (input: object, options: CallOptions): Promise<object> => {
      const asked = { ...shared, signal: options.signal ?? AbortSignal.timeout(callMs) }
      if (needs === 'process') return handler(input, asked)
      const network = requireNetwork(node)
      if (needs === 'root' || needs === 'operator') requireRoot(network, needs)
      const { registry } = network
      const more = { network, registry }
      if (needs !== 'operator') return handler(input, { ...asked, ...more })
      return await forOperator(handler, input, { ...asked, ...more, author: registry.admission.orders.author() })
    }
    const call = async (input: object = {}, options: CallOptions = {}): Promise<object> => {
      const journal = journalOf(node, name, route, input)
      const carriedOut = async (given: CallOptions): Promise<object> => {
        const answer = await made(input, given)
        journal?.()
        return answer
      }
      if (!isKept(name)) return stamped(node, await carriedOut(options))
      const request = [name, JSON.stringify(input)].join('\n')
      return stamped(node, await late.asked(request, options.signal, () => carriedOut({})))
    }
    return [name, call]
  })
  async function run(name: string, given: string, author: RemoteAuthor): Promise<object> {
    const { route, input } = orderedInput(name, given)
    const network = requireNetwork(node)
    const asked = { ...shared, signal: AbortSignal.timeout(orderedMs), network, registry: network.registry, author }
    const word: string = route
    const handler: AnyHandler = Reflect.get(handlers, word)
    return stamped(node, await forOperator(handler, input, asked))
  }
  const events: ControlApi['events'] = ({ signal } = {}) => changeFeed(node, signal)
  return Object.assign(Object.create(null), Object.fromEntries(calls), { events })
}

/** The answer of a handler with the time and, where it names none, the view of this process. */
const stamped = (node: NodeContext, made: object): object => ({ ...stampNow(node), ...made })

/** A handler as the table gives it by name: its input and what it needs are those of its route. */
type AnyHandler = (input: object, asked: Asked | AskedNetwork | AskedOperator) => object | Promise<object>

/** Runs a handler for an operator: what the rules of the log do not allow is a refusal then, and no failure of this program. */
async function forOperator(handler: AnyHandler, input: object, asked: AskedOperator): Promise<object> {
  try {
    return await handler(input, asked)
  } catch (error) {
    throw error instanceof LogMismatchError ? new RefusedError(error.message, { cause: error }) : error
  }
}
