import { plainBytes } from '../../identity/key-id.ts'
import type { LogItem } from '../store/log-rows.ts'

/** Rows of one read of the store for a page whose end is a number of bytes: rows beyond it are read again. */
const pageRows = 32

/** Items behind `afterN`, ascending, as many as fit into that many bytes but at least one when there is one. */
export function readPages(
  afterN: number,
  limitBytes: number,
  next: (afterN: number, rows: number) => LogItem[]
): LogItem[] {
  const items: LogItem[] = []
  let bytes = 0
  for (let after = afterN; ; ) {
    const page = next(after, pageRows)
    for (const { n, envelope } of page) {
      bytes += envelope.length
      if (bytes > limitBytes && items.length > 0) return items
      items.push({ n, envelope: plainBytes(envelope) })
      after = n
    }
    if (page.length < pageRows) return items
  }
}
