import { expect, test } from 'vitest'
import type { Role } from '../../../../../src/identity/role.ts'
import type { Policy } from '../../../../../src/registry/objects/policy/policy.ts'
import { mayRelay } from '../../../../../src/registry/objects/policy/relaying.ts'

const roles: Role[] = ['root', 'secondary', 'integrated', 'external']

test.each<[Policy['relaying'], Role[]]>([
  ['nobody', []],
  ['registries', ['root', 'secondary']],
  ['members', roles]
])('where %s may relay, these roles do: %j', (relaying, may) => {
  expect(roles.filter((role) => mayRelay({ relaying }, role))).toEqual(may)
})
