import { readdirSync, readFileSync } from 'node:fs'
import { Ajv, type AnySchemaObject } from 'ajv'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ControlHome, runCli, ScriptedApi } from '../../helpers/control-process.ts'
import { peerRow, peersView, unknownRow } from '../../helpers/control-views.ts'

const folder = new URL('../../../docs/schemas/', import.meta.url)

/** Readers must ignore fields they do not know; this test must not: a field that is not written down fails. */
const closed = (schema: AnySchemaObject): AnySchemaObject => {
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, deep(value)]))
  return 'properties' in inner && inner['type'] === 'object' ? { ...inner, additionalProperties: false } : inner
}

const deep = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(deep)
  return typeof value === 'object' && value !== null ? closed(value) : value
}

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true })
const names = readdirSync(folder).filter((name) => name.endsWith('.schema.json'))
for (const name of names) {
  const schema: AnySchemaObject = JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
  ajv.addSchema(closed(schema))
}

const commands: [string, string[]][] = [
  ['peers', ['peers']],
  ['lookup', ['lookup']],
  ['status', ['status']],
  ['registry-status', ['registry', 'status']],
  ['registry-nodes', ['registry', 'nodes']],
  ['registry-pending', ['registry', 'pending']],
  ['registry-log', ['registry', 'log']],
  ['change', ['registry', 'approve', 'hal']],
  ['change', ['registry', 'reject', 'hal']],
  ['change', ['revoke', 'hal']],
  ['change', ['leave']],
  ['identity', ['identity']],
  ['address', ['address']],
  ['invite', ['invite']],
  ['connect', ['peers', 'connect', '/ip6/::1/tcp/1']],
  ['disconnect', ['peers', 'disconnect', 'hal']],
  ['why', ['why', 'hal']],
  ['acknowledge', ['status', '--acknowledge', 'recovery-kit']],
  ['version', ['version']]
]

describe('JSON of each command', () => {
  let home: ControlHome
  beforeAll(async () => {
    home = await ControlHome.create()
    const api = new ScriptedApi()
    const error = { message: 'connect ECONNREFUSED', ageMs: 12 }
    api.peersAnswer = peersView([peerRow(), unknownRow({ lastError: error, confirmed: false })])
    await home.serve('hal', api)
  })
  afterAll(() => home[Symbol.asyncDispose]())

  test.each(commands)('fits %s.schema.json: %j', async (name, argv) => {
    const { out } = await runCli([...argv, '--json'], { home: home.folder })
    const validate = ajv.getSchema(`${name}.schema.json`)
    const fits = await validate?.(JSON.parse(out))
    expect({ fits, errors: validate?.errors }).toEqual({ fits: true, errors: null })
  })

  test('every schema is used by a command', () => {
    const used = new Set([...commands.map(([name]) => `${name}.schema.json`), 'common.schema.json', 'join.schema.json'])
    expect(names.filter((name) => !used.has(name))).toEqual([])
  })
})
