import type { Check } from '../../install/model/check.ts'
import { type Painter, sanitiseError } from './text.ts'

const paints = { pass: 'good', warn: 'warn', fail: 'bad' } as const
const titleColumns = 14

/** One line for a check, and one more for what mends it. */
export const checkLines = (check: Check, paint: Painter): string[] => {
  const mark = paint(paints[check.level], check.level)
  const line = `  ${mark}  ${check.title.padEnd(titleColumns)}${sanitiseError(check.reason)}`
  return check.fix === null ? [line] : [line, `        ${' '.repeat(titleColumns)}fix: ${check.fix}`]
}

/** "8 passed, 1 warning, 1 failed". */
export const checkSummary = (checks: readonly Check[]): string => {
  const count = (level: Check['level']): number => checks.filter((check) => check.level === level).length
  const warned = count('warn')
  const failed = count('fail')
  const parts = [`${count('pass')} passed`]
  if (warned > 0) parts.push(`${warned} ${warned === 1 ? 'warning' : 'warnings'}`)
  if (failed > 0) parts.push(`${failed} failed`)
  return parts.join(', ')
}
