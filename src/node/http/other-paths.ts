/** Paths whose answers are no JSON objects of the route table; the document has them, too. */
export const otherPaths = [
  {
    path: '/events',
    name: 'events',
    summary: 'What changes, as server-sent events; Last-Event-ID or ?after=ID goes on behind one',
    type: 'text/event-stream'
  },
  { path: '/metrics', name: 'metrics', summary: 'Metrics for Prometheus', type: 'text/plain' },
  {
    path: '/prometheus-sd',
    name: 'prometheusSd',
    summary:
      "Services of members, or with ?port=N members, for Prometheus' HTTP service discovery; ?service=, ?tag= choose",
    type: 'application/json'
  },
  { path: '/openapi.json', name: 'openapi', summary: 'This document', type: 'application/json' },
  { path: '/docs', name: 'docs', summary: 'This document as a page', type: 'text/html' }
] as const
