import { reasonOf } from '../../runtime/error-message.ts'
import type { ControlApi } from '../api/control-api.ts'
import type { NodeContext } from '../node-context.ts'

/** The HTTP API of a process that has one. */
export interface HttpApi extends AsyncDisposable {
  /** Address for browsers and programs; undefined while it does not listen. */
  readonly url: string | undefined
}

/**
 * Opens the HTTP API, which is loaded only where it is wanted: it brings 20 MiB. Where that fails the node runs on without it.
 * @throws ConfigError for a token file that cannot be used
 */
export const openHttp = async (node: NodeContext & { readonly control: ControlApi }): Promise<HttpApi | undefined> => {
  const { listen, tokenFile } = node.config.http
  if (listen === undefined) return undefined
  const { readToken } = await import('./token.ts')
  const token = readToken(tokenFile)
  try {
    const { HttpServer } = await import('./server.ts')
    return await HttpServer.start({ node, api: node.control, listen, token })
  } catch (error) {
    node.services.part('http').failed(error)
    node.logging.logger.error(
      { error: reasonOf(error) },
      'the HTTP API cannot be opened, and all else goes on without it: is a file of the program missing? Install it again'
    )
    return undefined
  }
}
