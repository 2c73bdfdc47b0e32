import { existsSync } from 'node:fs'

/** Path that bears a time, to the millisecond, and that nothing has yet: of two in one millisecond the later takes the next. */
export const timedPath = (ms: number, pathAt: (stamp: string) => string): string => {
  const path = pathAt(new Date(ms).toISOString().replaceAll(/[-:.]/g, ''))
  return existsSync(path) ? timedPath(ms + 1, pathAt) : path
}
