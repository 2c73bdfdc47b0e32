import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, test } from 'vitest'
import { routes } from '../../../../src/node/api/routes.ts'
import { apiPage } from '../../../../src/node/http/api-page.ts'
import { pathsOf } from '../../../../src/node/http/api-part.ts'
import { apiDocument } from '../../../../src/node/http/openapi.ts'

test('the document is OpenAPI 3.1', async () => {
  const validator = new Validator()
  expect(await validator.validate(JSON.parse(JSON.stringify(apiDocument())))).toEqual({ valid: true })
  expect(validator.version).toBe('3.1')
  const broken = { ...apiDocument(), paths: { peers: {} } }
  expect(await validator.validate(JSON.parse(JSON.stringify(broken)))).toMatchObject({ valid: false })
})

test('every reference has its schema, and what may be null may be null', () => {
  const { components } = apiDocument()
  const references = [...JSON.stringify(apiDocument()).matchAll(/"#\/components\/schemas\/([^"]+)"/g)]
  expect(references.length).toBeGreaterThan(50)
  for (const [, id = ''] of references) expect(Object.keys(components.schemas)).toContain(id)
  expect(components.schemas['peerRow']).toMatchObject({
    properties: { role: { anyOf: [{ $ref: '#/components/schemas/role' }, { type: 'null' }] } }
  })
})

test('an answer that says not ok is one of the document, with its status', () => {
  const { paths } = apiDocument()
  const statuses = (path: string) => Object.keys(paths[path]?.get.responses ?? {})
  for (const path of ['/health', '/ready']) {
    expect(paths[path]?.get.responses['503']?.content).toEqual(paths[path]?.get.responses['200']?.content)
  }
  expect(statuses('/peers')).toEqual(['200', 'default'])
})

test('the page on the API has every path', () => {
  const page = readFileSync('docs/api.md', 'utf8')
  expect(Object.keys(apiDocument().paths).filter((path) => !page.includes(`\`${path}\``))).toEqual([])
})

test('nothing that writes, or needs the signature of an operator, has a path', () => {
  for (const [name, { writes, needs }] of pathsOf()) {
    expect([name, writes, needs]).toEqual([name, false, expect.stringMatching(/^(process|network|root)$/)])
  }
  const paths = pathsOf(routes).map(([, { path }]) => path)
  expect(new Set(paths).size).toBe(paths.length)
  expect(paths).toEqual(expect.arrayContaining(['/health', '/ready', '/version', '/nodes', '/peers', '/connections']))
})

test('the page has each path and schema, and nothing that runs or comes from outside', async () => {
  const text = String(await apiPage(apiDocument()))
  for (const path of Object.keys(apiDocument().paths)) expect(text).toContain(`GET ${path}<`)
  expect(text).not.toMatch(/<script|style=|https?:\/\/| on\w+=/)
  expect(text).not.toContain('[object')
})
