import { apiPage, pageStyle } from './api-page.ts'
import { apiDocument } from './openapi.ts'
import type { HttpPart } from './part.ts'

/** `/openapi.json`, and the same as a page. */
export const documentPart: HttpPart = (app, { shared }) => {
  app.get('/openapi.json', (c) => shared(c, 'application/json', () => JSON.stringify(apiDocument())))
  app.get('/docs', (c) => shared(c, 'text/html; charset=utf-8', async () => String(await apiPage(apiDocument()))))
  app.get('/docs/page.css', (c) => c.body(pageStyle, 200, { 'content-type': 'text/css' }))
}
