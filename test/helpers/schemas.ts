import { readdirSync, readFileSync } from 'node:fs'
import { Ajv, type AnySchemaObject } from 'ajv'
import { expect } from 'vitest'

const folder = new URL('../../docs/schemas/', import.meta.url)

/** Readers must ignore fields they do not know; a test must not: a field that is not written down fails. */
const closed = (schema: AnySchemaObject): AnySchemaObject => {
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, deep(value)]))
  return 'properties' in inner && inner['type'] === 'object' ? { ...inner, additionalProperties: false } : inner
}

const deep = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(deep)
  return typeof value === 'object' && value !== null ? closed(value) : value
}

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true })
ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)

/** Files in docs/schemas. */
export const schemaNames = readdirSync(folder).filter((name) => name.endsWith('.schema.json'))
for (const name of schemaNames) {
  const schema: AnySchemaObject = JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
  ajv.addSchema(closed(schema))
}

/** Fails unless the answer, as it goes over the control socket, is exactly what docs/schemas says. */
export function expectSchema(name: string, answer: unknown): void {
  const validate = ajv.getSchema(`${name}.schema.json`)
  const fits = validate?.(JSON.parse(JSON.stringify(answer)))
  const errors = validate?.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`) ?? []
  expect({ fits, errors }).toEqual({ fits: true, errors: [] })
}

/** A value somewhere in an answer. */
export interface Walked {
  /** Its name there; in a list that of the list. */
  key: string
  path: string
  value: unknown
}

/** Everything in a JSON value, the outermost first. */
export function* walked(value: unknown, key = '', path = ''): Generator<Walked> {
  yield { key, path, value }
  if (typeof value !== 'object' || value === null) return
  for (const [name, part] of Object.entries(value)) {
    yield* walked(part, Array.isArray(value) ? key : name, `${path}/${name}`)
  }
}
