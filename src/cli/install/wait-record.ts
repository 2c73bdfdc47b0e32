import { createInterface } from 'node:readline'
import type { RecordEdit } from '../../dns/providers/provider.ts'
import { waitUntilPublished } from '../../dns/published.ts'
import { InstallError } from '../../install/errors.ts'
import { either } from '../../runtime/abort.ts'
import type { Context } from '../output/context.ts'
import { duration } from '../output/text.ts'

const withinMs = 30 * 60_000
const tickMs = 250
const clearLine = '\r\u001B[K'

/** Waits until the zone's own servers have the record, or somebody presses Enter. true: it is there. */
export const waitForRecord = async ({ terminal, signal }: Context, record: RecordEdit): Promise<boolean> => {
  const skip = new AbortController()
  const lines = createInterface({ input: process.stdin, terminal: false })
  lines.once('line', () => skip.abort(new InstallError('skipped')))
  const begun = performance.now()
  let now = `asking for ${record.name}`
  const draw = (): unknown => {
    const text = `Waiting ${duration(performance.now() - begun)}, Enter goes on without it: ${now}.`
    return terminal.stderr.write(`${clearLine}${text.slice(0, (terminal.stderr.columns ?? 80) - 1)}`)
  }
  const timer = setInterval(draw, tickMs)
  draw()
  try {
    const options = {
      withinMs,
      signal: either(signal, skip.signal),
      progress: (message: string) => {
        now = message
      }
    }
    return (await waitUntilPublished(record, options)).published
  } catch (error) {
    if (skip.signal.aborted && !signal.aborted) return false
    throw error
  } finally {
    clearInterval(timer)
    lines.close()
    terminal.stderr.write(clearLine)
  }
}
