import { apiPage, pageStyle } from './api-page.ts'
import { apiDocument } from './openapi.ts'
import type { HttpPart } from './part.ts'

/** `/openapi.json`, and the same as a page. */
export const documentPart: HttpPart = (app) => {
  app.get('/openapi.json', (c) => c.json(apiDocument()))
  app.get('/docs', async (c) => c.html(await apiPage(apiDocument())))
  app.get('/docs/page.css', (c) => c.body(pageStyle, 200, { 'content-type': 'text/css' }))
}
