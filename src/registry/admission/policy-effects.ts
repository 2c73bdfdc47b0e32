import type { Member } from '../log/state/network-state.ts'
import { anything, mayCall } from '../objects/policy/call-rules.ts'
import type { Policy } from '../objects/policy/policy.ts'

/** Members that are in the same groups. */
export interface Alike {
  groups: readonly string[]
  names: string[]
}

/** Calls that a change of the rules allows or ends. */
export interface ChangedCall {
  from: Alike
  to: Alike
  /** `*`: every service that no rule names. */
  service: string
  allowed: boolean
}

/** Kinds of members that are compared with each other: a network has few. */
const maxKinds = 100

/** Members by their groups, the kinds with most members first. */
function byGroups(members: Iterable<Pick<Member, 'name' | 'groups'>>): Alike[] {
  const kinds = new Map<string, Alike>()
  for (const { name, groups } of members) {
    const key = groups.join()
    const kind = kinds.get(key)
    if (kind === undefined) kinds.set(key, { groups, names: [name] })
    else kind.names.push(name)
  }
  return [...kinds.values()].toSorted((a, b) => b.names.length - a.names.length).slice(0, maxKinds)
}

/** Calls that are allowed by one of two policies and not by the other. */
export function changedCalls(
  before: Pick<Policy, 'rules'>,
  after: Pick<Policy, 'rules'>,
  members: Iterable<Pick<Member, 'name' | 'groups'>>
): ChangedCall[] {
  const kinds = byGroups(members)
  const services = new Set([...before.rules, ...after.rules].map(({ service }) => service)).add(anything)
  const changes: ChangedCall[] = []
  for (const service of services) {
    for (const from of kinds) {
      for (const to of kinds) {
        const allowed = mayCall(after, from, to, service)
        if (allowed !== mayCall(before, from, to, service)) changes.push({ from, to, service, allowed })
      }
    }
  }
  return changes
}
