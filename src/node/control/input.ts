import type { z } from 'zod'
import type { CallOptions, ControlApi } from '../api/control-api.ts'
import { ControlInputError } from '../api/errors.ts'
import { type RouteName, routes } from '../api/routes.ts'

export const isRouteName = (name: string): name is RouteName => Object.hasOwn(routes, name)

/** The operation of that name, for input that was checked against its route. */
export const callOf = (api: ControlApi, name: string): ((input: object, options: CallOptions) => Promise<object>) =>
  Reflect.get(api, name)

/** No name is as long. */
const inviteLine = /^…?tnet\d[\w-]{64}/

const holdsInvite = (given: unknown): boolean =>
  Object.values(Object(given)).some((value) => typeof value === 'string' && inviteLine.test(value))

/** Input as the route says, or an error that names what is wrong. @throws ControlInputError */
export const checkedInput = (name: RouteName, given: unknown): object => {
  if (name !== 'join' && holdsInvite(given)) {
    throw new ControlInputError(
      'This is the line of an invite, which only `trustnet join` and `trustnet install --invite` take: give a name, a PeerId, or an id of `trustnet invite list`.'
    )
  }
  const input: z.ZodType<object> = routes[name].input
  return parsedInput(input, given)
}

/** Fields as their rules say. @throws ControlInputError */
export function parsedInput<T>(rules: z.ZodType<T>, given: unknown): T {
  const parsed = rules.safeParse(given)
  if (parsed.success) return parsed.data
  const { issues } = parsed.error
  const bounds = issues.flatMap((issue) => boundFault(issue) ?? [])
  if (bounds.length === issues.length) throw new ControlInputError(`${bounds.join('; ')}.`)
  const wrong = issues.map(({ path, message }) => [...path, message].join(': ')).join('; ')
  throw new ControlInputError(`The request is not understood: ${wrong}. Is the command of another version?`)
}

/** Words for a value of the right kind that is too large or too small, which people can mend; undefined: for another fault. */
function boundFault(issue: z.core.$ZodIssue): string | undefined {
  const field = issue.path.join(' ')
  if (issue.code !== 'too_big' && issue.code !== 'too_small') return undefined
  const { origin } = issue
  const [word, bound] =
    issue.code === 'too_big' ? (['more', issue.maximum] as const) : (['less', issue.minimum] as const)
  if (origin === 'string') return bound === 1 ? `${field} is empty` : `${field} has ${word} than ${bound} characters`
  return origin === 'array' ? `${field} has ${word} than ${bound} entries` : `${field} is ${word} than ${bound}`
}

/** Input from a query string: what a field does not take as text is read as a number or a boolean. */
export const queryInput = (name: RouteName, query: URLSearchParams): object => {
  const fields = new Map<string, { safeParse(value: unknown): { success: boolean } }>(
    Object.entries(routes[name].input.shape)
  )
  return Object.fromEntries(
    [...query].map(([key, text]) => [key, fields.get(key)?.safeParse(text).success === true ? text : primitive(text)])
  )
}

const primitive = (text: string): unknown => {
  if (text === 'true' || text === 'false') return text === 'true'
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}

/** An operation that an operator may sign, with its input as the route says. @throws ControlInputError */
export function orderedInput(name: string, json: string): { route: RouteName; input: object } {
  if (!isRouteName(name) || routes[name].needs !== 'operator') {
    throw new ControlInputError(`No operator signs the call ${name}. Is the command of another version?`)
  }
  return { route: name, input: checkedInput(name, fromJson(json)) }
}

function fromJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw new ControlInputError('The input of the call is no JSON. Is the command of another version?')
  }
}
