import type { MetricsView } from '../api/topology-views.ts'
import { metricsText } from '../metrics/index.ts'
import type { NodeContext } from '../node-context.ts'

/** More than a process has: their labels are bounded. */
const mostLines = 5_000

/** The metrics as they are now. */
export const metricsView = async (node: NodeContext): Promise<MetricsView> => {
  const lines = (await metricsText(node)).trimEnd().split('\n')
  return { lines: lines.slice(0, mostLines), dropped: Math.max(0, lines.length - mostLines) }
}
