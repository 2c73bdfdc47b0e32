import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { either } from '../../runtime/abort.ts'
import { failureOf, httpStatusOf } from '../../runtime/failures.ts'
import { sleep } from '../../runtime/sleep.ts'
import type { ControlApi } from '../api/control-api.ts'
import { unasked } from '../api/stamp.ts'
import type { NodeContext } from '../node-context.ts'
import { type Exceeded, httpLimits } from './limits.ts'
import type { EventSink, HttpContext } from './part.ts'
import { httpParts } from './parts.ts'
import { shares } from './share.ts'
import { Streams } from './streams.ts'

export interface AppInit {
  node: NodeContext
  api: ControlApi
  signal: AbortSignal
  exceeded: Exceeded
}

/** Quiet streams say so often that they are still there. */
const pulseMs = httpLimits.stallMs / 2

/** Everything that the HTTP server offers, as one handler of requests. */
export const createApp = async ({ node, api, signal, exceeded }: AppInit): Promise<Hono> => {
  const app = new Hono()
  const context: HttpContext = {
    node,
    api,
    signal,
    shared: shares(signal, exceeded),
    stream: streams(signal, exceeded)
  }
  app.onError((error, c) => refuse(node, error, c))
  app.notFound((c) =>
    c.json(errorBody('NOT_FOUND', `There is no ${c.req.path.slice(0, 200)}. /openapi.json has all paths.`), 404)
  )
  for (const part of httpParts) await part(app, context)
  return app
}

export const errorBody = (code: string, message: string, name?: string): object =>
  unasked({ error: { code, ...(name !== undefined && { name }), message } })

const refuse = ({ logging: { logger } }: NodeContext, error: Error, c: Context): Response => {
  const status = httpStatusOf(error)
  const { code } = failureOf(error)
  const isOurs = code === 'INTERNAL'
  if (isOurs) {
    const fields = { error: error.message, stack: error.stack, path: c.req.path }
    logger.error(fields, 'an HTTP request failed in this process; it was told so')
  }
  const message = isOurs ? 'It failed in this process, whose log says why.' : error.message
  return new Response(JSON.stringify(errorBody(code, message, error.name)), {
    status,
    headers: { 'content-type': 'application/json', ...(status === 503 && { 'retry-after': '5' }) }
  })
}

const streams = (signal: AbortSignal, exceeded: Exceeded): HttpContext['stream'] => {
  const open = new Streams({ most: httpLimits.streams, turnMs: httpLimits.streamMs }, exceeded)
  return (c, write) => {
    const { outgoing }: HttpBindings = c.env
    const ended = either(signal, open.add(outgoing))
    return streamSSE(c, async (stream) => {
      const sink: EventSink = { signal: ended, write: (event) => stream.writeSSE(event) }
      const pulse = async (): Promise<void> => {
        while (!ended.aborted) {
          await stream.write(': still here\n\n')
          await sleep(pulseMs, ended).catch(() => {})
        }
      }
      await Promise.all([pulse(), write(sink)])
    })
  }
}
