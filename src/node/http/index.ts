import type { ControlApi } from '../api/control-api.ts'
import type { NodeContext } from '../node-context.ts'

/** The HTTP API of a process that has one. */
export interface HttpApi extends AsyncDisposable {
  /** Address for browsers and programs; undefined while it does not listen. */
  readonly url: string | undefined
}

/**
 * Opens the HTTP API, which is loaded only where it is wanted: it brings 20 MiB.
 * @throws ConfigError for a token file that cannot be used
 */
export const openHttp = async (node: NodeContext & { readonly control: ControlApi }): Promise<HttpApi | undefined> => {
  const { listen, tokenFile } = node.config.http
  if (listen === undefined) return undefined
  const { HttpServer } = await import('./server.ts')
  const { readToken } = await import('./token.ts')
  return await HttpServer.start({ node, api: node.control, listen, token: readToken(tokenFile) })
}
