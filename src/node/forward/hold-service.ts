import { readdirSync, type Stats, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { InvalidPayloadError } from '../../runtime/errors.ts'
import { type ControlPath, holdPath } from '../api/control-path.ts'

/**
 * Holds the unix socket that a path leads to, so that what was judged is what is connected to: whoever may write to its folder could put a
 * link in its place that leads to a control socket.
 * @throws InvalidPayloadError for a control socket; as open(2)
 */
export const holdService = (path: string, control: string): ControlPath =>
  holdPath(path, (found) => {
    if (controlSockets(control).some(({ dev, ino }) => dev === found.dev && ino === found.ino)) throw isControl(path)
  })

/** Refuses a path that leads to a control socket now. @throws InvalidPayloadError */
export function refuseControl(path: string, control: string): void {
  if (path === control) throw isControl(path)
  try {
    holdService(path, control)[Symbol.dispose]()
  } catch (error) {
    // One that is not there yet is judged when it is called.
    if (error instanceof InvalidPayloadError) throw error
  }
}

const isControl = (path: string): InvalidPayloadError =>
  new InvalidPayloadError(`${path} is the control socket of a node and not exposed: members would be its operators`)

/** That of this node, and those of others in the same folder. What cannot be looked at hides none of them. */
function controlSockets(control: string): Stats[] {
  return [control, ...pathsIn(dirname(control))].flatMap((path) => orNothing(() => statSync(path)) ?? [])
}

const pathsIn = (folder: string): string[] =>
  orNothing(() => readdirSync(folder).map((name) => join(folder, name))) ?? []

function orNothing<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
