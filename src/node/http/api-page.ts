import { html } from 'hono/html'
import type { ApiDocument, Operation } from './openapi.ts'

type Html = ReturnType<typeof html>

/** The document for people: no script, nothing from outside. */
export const apiPage = ({ info, paths, components }: ApiDocument): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title} API</title>
<link rel="stylesheet" href="/docs/page.css">
</head>
<body>
<main>
<h1>${info.title} API <small>${info.version}</small></h1>
<p>${info.description} <a href="/openapi.json">openapi.json</a></p>
<h2>Paths</h2>
${Object.entries(paths).map(([path, { get }]) => operation(path, get))}
<h2>Schemas</h2>
${Object.entries(components.schemas).map(([id, schema]) => schemaBox(id, schema))}
</main>
</body>
</html>`

const operation = (path: string, { summary, parameters, responses }: Operation): Html => {
  const [type = '', { schema: whole = {} } = {}] = Object.entries(responses['200']?.content ?? {})[0] ?? []
  const { allOf: [schema = whole] = [] }: { allOf?: Json[] } = whole
  return html`<section>
<h3><a href="${path}">GET ${path}</a></h3>
<p>${summary}. Answers ${isRef(schema) ? link(schema) : html`<code>${type}</code>`}.</p>
${parameters.length === 0 ? '' : html`<ul>${parameters.map((each) => parameter(each))}</ul>`}
</section>`
}

const parameter = ({ name, required, schema }: Operation['parameters'][number]): Html =>
  html`<li><code>${name}</code>${required ? ' (needed)' : ''} ${typeOf(schema)} ${words(schema)}</li>`

type Json = Record<string, unknown>

const isRef = (schema: Json): schema is { $ref: string } => typeof schema['$ref'] === 'string'
const idOf = ({ $ref }: { $ref: string }): string => $ref.slice($ref.lastIndexOf('/') + 1)
const link = (schema: { $ref: string }): Html => html`<a href="#${idOf(schema)}">${idOf(schema)}</a>`
const words = ({ description }: Json): string => (typeof description === 'string' ? description : '')
const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The type of a field in a word or a link. */
const typeOf = (schema: Json): Html | string => {
  if (isRef(schema)) return link(schema)
  const { anyOf, items } = schema
  if (Array.isArray(anyOf))
    return html`${anyOf.filter(isJson).map((each, at) => html`${at > 0 ? ' or ' : ''}${typeOf(each)}`)}`
  if (isJson(items)) return html`list of ${typeOf(items)}`
  const { type, enum: choices, const: only = choices } = schema
  if (only !== undefined) return JSON.stringify(only)
  return typeof type === 'string' ? type : ''
}

const schemaBox = (id: string, schema: Json): Html => html`<details id="${id}">
<summary>${id}</summary>
<p>${words(schema)}</p>
<dl>${fields(schema)}</dl>
</details>`

const fields = ({ properties }: Json): Html[] =>
  Object.entries(isJson(properties) ? properties : {}).map(([name, schema]) =>
    isJson(schema) ? html`<dt><code>${name}</code> ${typeOf(schema)}</dt><dd>${words(schema)}</dd>` : html``
  )

export const pageStyle = `:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5 }
body { margin: 0 }
main { max-width: 50rem; margin: auto; padding: 1rem }
h3 { margin-bottom: 0; font-family: ui-monospace, monospace }
section p { margin-top: 0 }
small { color: GrayText; font-weight: normal }
details { border-block-end: 1px solid GrayText; padding: 0.25rem }
dd { margin-inline-start: 2rem }
`
