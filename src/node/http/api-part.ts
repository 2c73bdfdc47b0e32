import { z } from 'zod'
import { viewOrigin } from '../api/parts.ts'
import type { Route } from '../api/route.ts'
import { type RouteName, routes } from '../api/routes.ts'
import { callOf, checkedInput, isRouteName, queryInput } from '../control/input.ts'
import type { NodeContext } from '../node-context.ts'
import { originOf } from '../views/refs.ts'
import type { HttpPart } from './part.ts'

/** The operations of the table that have a path. */
export const pathsOf = (table: Readonly<Record<string, Route>> = routes): [RouteName, Route & { path: string }][] =>
  Object.entries(table).flatMap(([name, route]) =>
    isRouteName(name) && route.path !== undefined ? [[name, { ...route, path: route.path }]] : []
  )

const callMs = 10_000

/** Fields of every answer over HTTP: when it was made, and whose view it is. */
export const stamp = z
  .object({ generatedAt: z.iso.datetime().describe('when it was made'), view: viewOrigin })
  .meta({ id: 'stamp' })

const stampOf = (node: NodeContext): z.infer<typeof stamp> => ({
  generatedAt: new Date().toISOString(),
  view: originOf({ key: node.key, config: node.config, network: node.isStopping ? undefined : node.network })
})

/** The operations that have a path, with the checks and the answers of the control socket. */
export const apiPart: HttpPart = (app, { node, api, signal, shared }) => {
  for (const [name, { path }] of pathsOf()) {
    const call = callOf(api, name)
    app.get(path, (c) => {
      const input = checkedInput(name, queryInput(name, new URL(c.req.url).searchParams))
      return shared(c, 'application/json', async () => {
        const answer = await call(input, { signal: AbortSignal.any([signal, AbortSignal.timeout(callMs)]) })
        return {
          text: JSON.stringify({ ...stampOf(node), ...answer }),
          status: Reflect.get(answer, 'ok') === false ? 503 : 200
        }
      })
    })
  }
}
