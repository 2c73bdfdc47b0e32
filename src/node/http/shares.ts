import type { HttpBindings } from '@hono/node-server'
import { routePath } from 'hono/route'
import type { Exceeded } from './limits.ts'
import type { HttpContext, Made } from './part.ts'
import { type Answer, Share } from './share.ts'

/** Each route has a share of its own, whatever stands in the places of its path: asking for many documents gives nobody more of the time. */
export const shares = (signal: AbortSignal, exceeded: Exceeded): HttpContext['shared'] => {
  const byRoute = new Map<string, Share>()
  return async (c, type, make) => {
    const route = routePath(c)
    const share = byRoute.get(route) ?? new Share(signal)
    byRoute.set(route, share)
    // The same question may be asked under several names of this host.
    const { pathname, search } = new URL(c.req.url)
    const { incoming }: HttpBindings = c.env
    const refused = (): void => exceeded('http.waiting', incoming.socket)
    const { bytes, status } = await share.answer(pathname + search, async () => answerOf(await make()), refused)
    return c.body(bytes, status, { 'content-type': type })
  }
}

const answerOf = (made: Made): Answer => {
  const { text, status } = typeof made === 'string' ? { text: made, status: 200 as const } : made
  return { bytes: new TextEncoder().encode(text), status }
}
