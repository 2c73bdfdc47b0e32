import type { ControlApi, Made } from '../../../src/node/api/control-api.ts'
import type { RouteName } from '../../../src/node/api/routes.ts'

/** The operations as their handlers answer them: without a stamp. */
export type Scripted = {
  [K in RouteName]: (...args: Parameters<ControlApi[K]>) => Promise<Made<K>>
} & Pick<ControlApi, 'events'>
