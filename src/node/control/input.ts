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
  const parsed = routes[name].input.safeParse(given)
  if (parsed.success) return parsed.data
  const wrong = parsed.error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; ')
  throw new ControlInputError(`The request is not understood: ${wrong}. Is the command of another version?`)
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
