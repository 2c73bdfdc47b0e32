import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { within } from '../../runtime/abort.ts'
import type { ControlApi } from '../api/control-api.ts'

/** A reader that takes nothing for so long is cut: it can ask again. */
const stallMs = 10_000

/** Writes the api's events as JSON lines until the signal fires or the source ends. */
export const streamEvents = async (
  api: ControlApi,
  response: ServerResponse,
  options: { signal: AbortSignal }
): Promise<void> => {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  response.flushHeaders()
  try {
    for await (const event of api.events(options)) {
      if (response.write(`${JSON.stringify(event)}\n`)) continue
      await once(response, 'drain', { signal: within(stallMs, options.signal) })
    }
  } catch (error) {
    if (!options.signal.aborted) response.destroy(error instanceof Error ? error : undefined)
  } finally {
    response.end()
  }
}
