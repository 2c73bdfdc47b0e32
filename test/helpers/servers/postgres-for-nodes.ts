import { afterAll, beforeAll } from 'vitest'
import { PostgresServer } from './postgres.ts'

const variable = 'TRUSTNET_ROOT_STORE_PASSWORD'

/** A database for the tests of a `describe`: nodes of this process find its password where they look for it. */
export function postgresForNodes(): { readonly server: PostgresServer } {
  let server: PostgresServer | undefined
  beforeAll(async () => {
    server = await PostgresServer.start()
    process.env[variable] = PostgresServer.password
  })
  afterAll(async () => {
    Reflect.deleteProperty(process.env, variable)
    await server?.[Symbol.asyncDispose]()
  })
  return {
    get server() {
      if (server === undefined) throw new Error('the database runs from the first test on')
      return server
    }
  }
}
