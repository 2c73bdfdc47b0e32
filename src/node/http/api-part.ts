import { within } from '../../runtime/abort.ts'
import type { Route } from '../api/route.ts'
import { type RouteName, routes } from '../api/routes.ts'
import { callOf, checkedInput, isRouteName, queryInput } from '../control/input.ts'
import type { HttpPart } from './part.ts'

/** The operations of the table that have a path. */
export const pathsOf = (table: Readonly<Record<string, Route>> = routes): [RouteName, Route & { path: string }][] =>
  Object.entries(table).flatMap(([name, route]) =>
    isRouteName(name) && route.path !== undefined ? [[name, { ...route, path: route.path }]] : []
  )

const callMs = 10_000

/** The operations that have a path, with the checks and the answers of the control socket. */
export const apiPart: HttpPart = (app, { api, signal, shared }) => {
  for (const [name, { path }] of pathsOf()) {
    const call = callOf(api, name)
    app.get(path.replaceAll(/\{(\w+)\}/g, ':$1'), (c) => {
      const given = new URLSearchParams(new URL(c.req.url).searchParams)
      for (const [key, value] of Object.entries<string>(c.req.param())) given.set(key, value)
      const input = checkedInput(name, queryInput(name, given))
      return shared(c, 'application/json', async () => {
        const answer = await call(input, { signal: within(callMs, signal) })
        return {
          text: JSON.stringify(answer),
          status: Reflect.get(answer, 'ok') === false ? 503 : 200
        }
      })
    })
  }
}
