import type { Context, Hono } from 'hono'
import type { ControlApi } from '../api/control-api.ts'
import type { NodeContext } from '../node-context.ts'

/** The process behind the HTTP server, as its parts see it. */
export interface HttpContext {
  readonly node: NodeContext
  readonly api: ControlApi
  /** Aborts when the server stops. */
  readonly signal: AbortSignal
  /**
   * Answers with what `make` gives, in the route's share of the time: whoever asks the same meanwhile gets the same bytes. Everything that costs
   * more than reading a file is answered this way.
   */
  readonly shared: (c: Context, type: string, make: () => Made | Promise<Made>) => Promise<Response>
  /** Answers with server-sent events until the reader or the server goes. @throws LimitError when there are too many */
  readonly stream: (c: Context, write: (sink: EventSink) => Promise<void>) => Response
}

/** An answer's text; its status is 200, or 503 where the text says that something is not as it should be. */
export type Made = string | { text: string; status: 200 | 503 }

export interface EventSink {
  /** Resolves when the reader takes more: nothing is held for a slow one, who is cut after a while. */
  readonly write: (event: { id?: string; event?: string; data: string }) => Promise<void>
  readonly signal: AbortSignal
}

/**
 * Something that the HTTP server offers: it adds its GET paths to `app` once, when the server starts, and is a row in `parts.ts`. A request
 * that reaches it has the right Host and token, is a GET or HEAD and within the limits, and its answer has the safety headers. What it throws is
 * answered with the error's code and status (runtime/failures.ts).
 *
 * @example
 * export const metricsPart: HttpPart = (app, { shared }) => {
 *   app.get('/metrics', (c) => shared(c, 'text/plain; version=0.0.4', () => registry.metrics()))
 * }
 * export const pagePart: HttpPart = (app) => {
 *   app.get('/ui/page.js', (c) => c.body(script, 200, { 'content-type': 'text/javascript', 'cache-control': 'max-age=300' }))
 * }
 */
export type HttpPart = (app: Hono, context: HttpContext) => void | Promise<void>
