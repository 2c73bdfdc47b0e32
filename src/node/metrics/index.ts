import type { NodeContext } from '../node-context.ts'
import type { Metrics } from './metrics.ts'

export type { Metrics } from './metrics.ts'

/** Metrics of a process that has an HTTP API: nothing of them is loaded elsewhere. */
export const openMetrics = async (node: NodeContext): Promise<Metrics | undefined> =>
  node.config.http.listen === undefined ? undefined : new (await import('./metrics.ts')).Metrics(node)
