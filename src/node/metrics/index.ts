import type { NodeContext } from '../node-context.ts'
import type { ProcessMetrics } from './reader.ts'

export type { ProcessMetrics } from './reader.ts'

/** Metrics of a process that has an HTTP API: nothing of them is loaded elsewhere. */
export const openMetrics = async (node: NodeContext): Promise<ProcessMetrics | undefined> =>
  node.config.http.listen === undefined ? undefined : new (await import('./metrics.ts')).Metrics(node)

const withoutHttp = '# http.listen is not set: durations, counts of libp2p and those of Node.js are not kept'

/** All metrics as text, in Prometheus' format. Without an HTTP API they are those that nothing is kept for, gathered when somebody asks. */
export const metricsText = async (node: NodeContext): Promise<string> => {
  if (node.metrics !== undefined) return await node.metrics.text()
  const { presentMetrics } = await import('./present.ts')
  return `${withoutHttp}\n${await presentMetrics(node).metrics()}`
}
