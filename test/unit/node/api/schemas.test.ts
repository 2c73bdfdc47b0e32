import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import * as parts from '../../../../src/node/api/parts.ts'
import type { Route } from '../../../../src/node/api/route.ts'
import { routes } from '../../../../src/node/api/routes.ts'
import { errorView } from '../../../../src/node/api/views.ts'
import { walked } from '../../../helpers/schemas.ts'

// docs/schemas is made from the route table; `npx vitest run test/unit/node/api/schemas.test.ts -u` writes it anew.

type JsonSchema = z.core.JSONSchema.BaseSchema
const draft = 'http://json-schema.org/draft-07/schema#'
const table: [string, Route][] = Object.entries(routes)
const isNamed = (part: unknown): part is z.ZodType =>
  part instanceof z.ZodType && z.globalRegistry.get(part)?.id !== undefined
const outputs = new Set([...table.map(([, { output }]) => output), errorView])
const shared = Object.values<unknown>(parts).filter(isNamed)
const fileOf = (id: string): string => `${id}.schema.json`

/** Readers must ignore fields that they do not know, and every whole number is a safe one. */
const plain = ({ jsonSchema }: { jsonSchema: JsonSchema }): void => {
  delete jsonSchema.$schema
  delete jsonSchema.$id
  delete jsonSchema.id
  // Its format says it.
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
}

/** Parts and answers by id; they refer to each other's files. */
const schemas = (): Record<string, JsonSchema> => {
  const registry = z.registry<z.GlobalMeta>()
  const partIds = new Set(shared.map((part) => z.globalRegistry.get(part)?.id))
  for (const schema of [...shared, ...outputs]) registry.add(schema, { ...z.globalRegistry.get(schema) })
  const made = z.toJSONSchema(registry, {
    target: 'draft-7',
    uri: (id) => (partIds.has(id) ? `common.schema.json#/definitions/${id}` : fileOf(id)),
    override: plain
  })
  return made.schemas
}

const file = (name: string): string => new URL(`../../../../docs/schemas/${name}`, import.meta.url).pathname
const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`
const all = schemas()
const answers = [...outputs].map((output) => z.globalRegistry.get(output)?.id ?? '')

test('common.schema.json has the parts that answers share', async () => {
  const definitions = Object.fromEntries(Object.entries(all).filter(([id]) => !answers.includes(id)))
  const common = { $schema: draft, $id: 'common.schema.json', title: 'Parts that several answers share', definitions }
  await expect(json(common)).toMatchFileSnapshot(file('common.schema.json'))
})

test.each(answers)('%s.schema.json is the schema of the answer', async (id) => {
  await expect(json({ $schema: draft, $id: fileOf(id), ...all[id] })).toMatchFileSnapshot(file(fileOf(id)))
})

test('api.json has each operation with its input', async () => {
  const operations = table.map(([name, { summary, needs, writes, input, output }]) => {
    const { $schema: _, ...given } = z.toJSONSchema(input, { target: 'draft-7', io: 'input' })
    return [name, { summary, needs, writes, input: given, output: fileOf(z.globalRegistry.get(output)?.id ?? '') }]
  })
  await expect(json(Object.fromEntries(operations))).toMatchFileSnapshot(file('api.json'))
})

const written = readdirSync(file('')).filter((name) => name.endsWith('.json'))
const isSchema = (
  value: unknown
): value is { type?: unknown; anyOf?: unknown[]; format?: unknown; properties?: object } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Types that a value may have, those of its alternatives, too. */
const typesOf = (schema: unknown): unknown[] => {
  if (!isSchema(schema)) return []
  return [...[schema.type ?? []].flat(), ...(schema.anyOf ?? []).flatMap(typesOf)]
}

test.each(written)('%s: times are whole ms or µs, or RFC 3339', (name) => {
  const found = walked(JSON.parse(readFileSync(file(name), 'utf8')))
  const fields = [...found].flatMap(({ key, value }) =>
    key === 'properties' && isSchema(value) ? Object.entries(value) : []
  )
  for (const [field, schema] of fields) {
    if (/(^|[a-z])(Ms|Us)$/.test(field)) {
      const content = isSchema(schema) && Reflect.get(schema, 'additionalProperties')
      const types = new Set(typesOf(content || schema))
      types.delete('null')
      expect([field, [...types]]).toEqual([field, ['integer']])
    }
    if (/[a-z]At$/.test(field)) expect(JSON.stringify(schema)).toContain('"date-time"')
    expect(field).not.toBe('schemaVersion')
  }
})

test.each(written.filter((name) => name.endsWith('.schema.json') && name !== 'common.schema.json'))(
  '%s: the answer says what schema it has, when it was made and whose view it is',
  (name) => {
    const { oneOf, anyOf = oneOf, ...whole } = JSON.parse(readFileSync(file(name), 'utf8'))
    for (const { required } of anyOf ?? [whole]) {
      expect(required).toEqual(expect.arrayContaining(['schema', 'generatedAt', 'view']))
    }
  }
)
