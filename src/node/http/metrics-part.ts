import type { HttpPart } from './part.ts'

/** `/metrics`, as Prometheus reads it. */
export const metricsPart: HttpPart = (app, { node: { metrics }, shared }) => {
  if (metrics === undefined) return
  app.get('/metrics', (c) => shared(c, metrics.contentType, () => metrics.text()))
}
