import type { NodeContext } from '../node-context.ts'
import type { ProcessMetrics } from './reader.ts'

export type { ProcessMetrics } from './reader.ts'

/** Metrics of a process that has an HTTP API: nothing of them is loaded elsewhere. */
export const openMetrics = async (node: NodeContext): Promise<ProcessMetrics | undefined> =>
  node.config.http.listen === undefined ? undefined : new (await import('./metrics.ts')).Metrics(node)
