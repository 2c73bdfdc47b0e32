import { z } from 'zod'
import { versionInfo } from '../../runtime/version.ts'
import * as parts from '../api/parts.ts'
import type { Route } from '../api/route.ts'
import { errorView } from '../api/views.ts'
import { pathsOf } from './api-part.ts'
import { otherPaths } from './other-paths.ts'

type Json = Record<string, unknown>

/** The HTTP API as OpenAPI 3.1, from the route table. */
export interface ApiDocument {
  openapi: '3.1.0'
  info: { title: string; version: string; description: string; license: { name: string; identifier: string } }
  security: Json[]
  paths: Record<string, { get: Operation }>
  components: { schemas: Record<string, Json>; securitySchemes: Json }
}

export interface Operation {
  operationId: string
  summary: string
  parameters: { name: string; in: 'query' | 'path'; required: boolean; schema: Json }[]
  responses: Record<string, { description: string; content: Record<string, { schema: Json }> }>
}

const description =
  'Questions that a running TrustNet node answers. It changes nothing. Fields may be added within a schema; null is unknown.'

export const apiDocument = (): ApiDocument => {
  const table = pathsOf().map(([name, route]): [string, { get: Operation }] => [
    route.path,
    { get: operationOf(name, route) }
  ])
  const others = otherPaths.map(({ path, name, summary, type }): [string, { get: Operation }] => [
    path,
    {
      get: {
        operationId: name,
        summary,
        parameters: [],
        responses: responses(type, { type: type === 'application/json' ? 'object' : 'string' })
      }
    }
  ])
  return {
    openapi: '3.1.0',
    info: {
      title: 'TrustNet',
      version: versionInfo().version,
      description,
      license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' }
    },
    // Without a token file no token is asked for.
    security: [{}, { token: [] }],
    paths: Object.fromEntries([...table, ...others]),
    components: { schemas: schemas(), securitySchemes: { token: { type: 'http', scheme: 'bearer' } } }
  }
}

const operationOf = (name: string, { summary, input, output, path = '' }: Route): Operation => {
  const { properties = {}, required = [] }: z.core.JSONSchema.BaseSchema = JSON.parse(
    // Parts of it are those of the document.
    JSON.stringify(z.toJSONSchema(input, { io: 'input', override: plain })).replaceAll('#/$defs/', place(''))
  )
  const parameters = Object.entries(properties).map(([field, schema]) => ({
    name: field,
    in: path.includes(`{${field}}`) ? ('path' as const) : ('query' as const),
    required: required.includes(field),
    schema: { ...(typeof schema === 'object' && schema) }
  }))
  const answers = responses('application/json', refTo(output))
  const { 200: whole } = answers
  if ('ok' in output.shape && whole !== undefined)
    answers['503'] = { ...whole, description: 'The same, where ok is false.' }
  return { operationId: name, summary, parameters, responses: answers }
}

const responses = (type: string, schema: Json): Operation['responses'] => ({
  '200': { description: 'The answer.', content: { [type]: { schema } } },
  default: { description: 'A failure, with its code.', content: { 'application/json': { schema: refTo(errorView) } } }
})

const place = (id: string): string => `#/components/schemas/${id}`
const idOf = (schema: z.ZodType): string => z.globalRegistry.get(schema)?.id ?? ''
const refTo = (schema: z.ZodType): Json => ({ $ref: place(idOf(schema)) })

/** Answers of paths, and the parts that they share. */
const schemas = (): Record<string, Json> => {
  const shared = Object.values<unknown>(parts).filter((each) => each instanceof z.ZodType && idOf(each) !== '')
  const registry = z.registry<z.GlobalMeta>()
  for (const schema of [...shared, errorView, ...pathsOf().map(([, { output }]) => output)]) {
    if (schema instanceof z.ZodType) registry.add(schema, { ...z.globalRegistry.get(schema) })
  }
  return z.toJSONSchema(registry, { uri: place, override: plain }).schemas
}

/** Readers ignore fields that they do not know, and every whole number is a safe one. */
const plain = ({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void => {
  for (const key of ['$schema', '$id', 'id']) Reflect.deleteProperty(jsonSchema, key)
  // Its format says it.
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
}
