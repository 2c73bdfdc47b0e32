import { NotFoundError } from '../../runtime/errors.ts'
import type { MetricsView } from '../api/topology-views.ts'
import type { NodeContext } from '../node-context.ts'

/** More than a process has: their labels are bounded. */
const mostLines = 5_000

/** The metrics as they are now. @throws NotFoundError where none are kept */
export const metricsView = async ({ metrics }: Pick<NodeContext, 'metrics'>): Promise<MetricsView> => {
  if (metrics === undefined) throw new NotFoundError('metrics are kept where http.listen is set alone')
  const lines = (await metrics.text()).trimEnd().split('\n')
  return { lines: lines.slice(0, mostLines), dropped: Math.max(0, lines.length - mostLines) }
}
