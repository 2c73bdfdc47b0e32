import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { roles } from '../../src/identity/role.ts'
import { questions } from '../../src/protocols/admin/descriptor.ts'
import { announcementKinds } from '../../src/protocols/announce/message.ts'
import { statuses } from '../../src/protocols/engine/status.ts'
import { dialFailures, outcomes } from '../../src/protocols/probe/descriptor.ts'
import { syncModes } from '../../src/protocols/sync/descriptor.ts'
import { states } from '../../src/registry/liveness/liveness.ts'
import { entryKinds } from '../../src/registry/objects/entry.ts'
import { admittedBy } from '../../src/registry/objects/entry-bodies.ts'
import { admissions, publishing, relaying } from '../../src/registry/objects/policy/policy.ts'
import { reaches } from '../../src/registry/objects/record.ts'
import { serviceProtocols, serviceStates } from '../../src/registry/objects/service.ts'

const protos = globSync('src/**/pb/*.proto').map((path) => ({ path, text: readFileSync(path, 'utf8') }))

/** Names and numbers of an enum of the .proto files, without the prefix that protobuf asks for. */
function enumOf(name: string): Record<string, number> {
  const bodies = protos.flatMap(({ text }) => new RegExp(`^enum ${name} \\{([^}]*)\\}`, 'm').exec(text)?.[1] ?? [])
  const prefix = `${name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}_`
  const values = [...(bodies[0] ?? '').matchAll(/(\w+) = (\d+);/g)]
  return Object.fromEntries(values.map(([, value = '', number]) => [value.replace(prefix, ''), Number(number)]))
}

/** As protobuf writes names: `registrySet` is REGISTRY_SET. */
const inProto = (table: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(table).map(([name, number]) => [name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase(), number])
  )

/** Enums, the tables of this program, and names that stand in the .proto alone. */
const tables: [string, Readonly<Record<string, number>>, Record<string, number>][] = [
  ['Status', statuses, {}],
  ['State', states, { ANY: 0 }],
  ['SyncMode', syncModes, {}],
  ['Outcome', outcomes, { NONE: 0 }],
  ['DialFailure', dialFailures, { NONE: 0 }],
  ['AnnouncementKind', announcementKinds, { NONE: 0 }],
  ['Question', questions, { NONE: 0 }],
  ['Role', roles, { UNSPECIFIED: 0 }],
  ['EntryKind', entryKinds, {}],
  ['AdmittedBy', admittedBy, {}],
  ['Admission', admissions, {}],
  ['Publishing', publishing, {}],
  ['Relaying', relaying, {}],
  ['ServiceProtocol', serviceProtocols, {}],
  ['ServiceState', serviceStates, {}],
  ['Reach', reaches, {}]
]

describe('the .proto files', () => {
  it.each(protos)('$path is of the package', ({ text }) => expect(text).toContain('\npackage trustnet.v1;\n'))

  it('have no enum that is not held against this program', () => {
    const names = protos.flatMap(({ text }) => [...text.matchAll(/^enum (\w+) /gm)].map(([, name]) => name))
    expect(new Set(names)).toEqual(new Set(tables.map(([name]) => name)))
  })

  it.each(tables)('have the numbers of %s', (name, table, more) => {
    expect(enumOf(name)).toEqual({ ...inProto(table), ...more })
  })
})
