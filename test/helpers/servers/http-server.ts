import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'

export interface HttpRequest {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface HttpAnswer {
  readonly status: number
  readonly type: string
  readonly body: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
}

export interface HttpServer extends AsyncDisposable {
  readonly url: string
}

/** An HTTP server on loopback, at a free port. */
export const startHttp = async (answer: (request: HttpRequest) => HttpAnswer): Promise<HttpServer> => {
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const url = new URL(request.url ?? '/', 'http://[::1]')
      const { method = 'GET', headers } = request
      const {
        status,
        type,
        body,
        headers: more = {}
      } = answer({ method, url, headers, body: Buffer.concat(chunks).toString() })
      response.writeHead(status, { 'content-type': type, ...more }).end(body)
    })()
  })
  server.listen(0, '::1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  return {
    url: `http://[::1]:${address.port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }
}
