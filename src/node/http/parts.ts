import { prometheusSdPart } from '../names/http-part.ts'
import { apiPart } from './api-part.ts'
import { documentPart } from './document-part.ts'
import { eventsPart } from './events-part.ts'
import { metricsPart } from './metrics-part.ts'
import { pagePart } from './page-part.ts'
import type { HttpPart } from './part.ts'

/** Everything that the HTTP server offers. Paths that two parts have are answered by the first. */
export const httpParts: readonly HttpPart[] = [
  apiPart,
  eventsPart,
  metricsPart,
  prometheusSdPart,
  documentPart,
  pagePart
]
