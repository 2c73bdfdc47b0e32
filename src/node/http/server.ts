import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { socketParts } from '../../address/spelling.ts'
import { inBackground } from '../../runtime/background.ts'
import { codeOf } from '../../runtime/error-code.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { inWords } from '../../runtime/files/system-error.ts'
import { portHolder } from '../../runtime/machine/port-holder.ts'
import { sleep } from '../../runtime/sleep.ts'
import type { ControlApi } from '../api/control-api.ts'
import { httpConnections } from '../host/open-files.ts'
import type { NodeContext } from '../node-context.ts'
import { createApp, errorBody } from './app.ts'
import { Connections } from './connections.ts'
import { Guard, type Refusal, safetyHeaders } from './guard.ts'
import { type Exceeded, excessOf, httpLimits } from './limits.ts'

/** A port that another process has is tried again so often. */
const retryMs = 5_000

export interface HttpServerInit {
  node: NodeContext
  api: ControlApi
  listen: string
  /** undefined: requests need none. */
  token: string | undefined
}

/** The HTTP server of a process. It only answers questions, and the node runs on whatever becomes of it. */
export class HttpServer implements AsyncDisposable {
  readonly #init: HttpServerInit
  readonly #over = new AbortController()
  readonly #server: Server
  #listening: Promise<void> = Promise.resolve()
  #url: string | undefined

  constructor(init: HttpServerInit, app: Hono, over: AbortController) {
    this.#init = init
    this.#over = over
    this.#server = makeServer(
      app,
      new Guard({ token: init.token, hosts: init.node.config.http.hosts }),
      excessOf(init.node)
    )
  }

  /** Listens when it resolves, unless the port is taken: then it goes on trying. */
  static async start(init: HttpServerInit): Promise<HttpServer> {
    const over = new AbortController()
    const { node, api } = init
    const app = await createApp({ node, api, signal: over.signal, exceeded: excessOf(node) })
    const server = new HttpServer(init, app, over)
    const why = await server.#tryToListen()
    if (why === undefined) return server
    node.logging.logger.warn(
      { http_listen: init.listen },
      `the HTTP API is not there: ${why}; all else goes on, and it is tried again`
    )
    server.#listening = server.#keepTrying()
    inBackground(server.#listening, 'opening the HTTP server')
    return server
  }

  /** Address for browsers and programs; undefined while it does not listen. */
  get url(): string | undefined {
    return this.#url
  }

  async #keepTrying(): Promise<void> {
    while (!this.#over.signal.aborted) {
      await sleep(retryMs, this.#over.signal).catch(() => {})
      if (this.#over.signal.aborted || (await this.#tryToListen()) === undefined) return
    }
  }

  /** Gives the reason why it does not listen. */
  async #tryToListen(): Promise<string | undefined> {
    const { node, listen } = this.#init
    const { host, port } = socketParts(listen)
    const part = node.services.part('http')
    try {
      this.#url = `http://[${host === '::' ? '::1' : host}]:${await listenAt(this.#server, host, port)}`
      part.ok()
      this.#server.on('error', (error) => part.failed(error))
      node.logging.logger.info({ url: this.#url }, `HTTP API at ${this.#url}`)
      return undefined
    } catch (error) {
      const why = reasonFor(error, port)
      part.failed(new Error(why))
      return why
    } finally {
      node.changed()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort()
    await this.#listening
    if (!this.#server.listening) return
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }
}

/** Gives the port. */
export const listenAt = async (server: Server, host: string, port: number): Promise<number> => {
  server.listen({ host, port, ipv6Only: true })
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

const reasonFor = (error: unknown, port: number): string => {
  if (codeOf(error) !== 'EADDRINUSE') return `${inWords(reasonOf(error))} (http.listen)`
  return `port ${port} is taken by ${portHolder(port) ?? 'another process'} (stop it, or choose another one with http.listen)`
}

const makeServer = (app: Hono, guard: Guard, exceeded: Exceeded): Server => {
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  const server = createServer({
    maxHeaderSize: httpLimits.headerBytes,
    headersTimeout: httpLimits.requestMs,
    requestTimeout: httpLimits.requestMs,
    keepAliveTimeout: httpLimits.requestMs,
    connectionsCheckingInterval: 1_000
  })
  const connections = new Connections(server, { most: httpConnections(), answerMs: httpLimits.answerMs }, exceeded)
  server.setTimeout(httpLimits.stallMs, (socket) => connections.stalled(socket))
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    for (const [name, value] of Object.entries(safetyHeaders)) response.setHeader(name, value)
    connections.answering(response)
    const refusal = guard.refusal(request)
    if (refusal === undefined) inBackground(answer(request, response), 'answering an HTTP request')
    else {
      if (refusal.status === 429) exceeded('http.requests', request.socket)
      refuse(response, refusal)
    }
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // In the midst of another answer it would be read as part of that one, or in its place.
    if (connections.isAnswering(socket)) socket.resetAndDestroy()
    else refuseUnread(error, socket)
  })
  return server
}

/** The connection is closed after it: the rest of what was sent is not read. */
const refuse = (response: ServerResponse, { status, code, message, headers }: Refusal): void => {
  response.writeHead(status, { ...headers, 'content-type': 'application/json', connection: 'close' })
  response.end(JSON.stringify(errorBody(code, message)))
}

const unread = new Map<string, [status: string, code: string, message: string]>([
  [
    'HPE_HEADER_OVERFLOW',
    ['431 Request Header Fields Too Large', 'TOO_LARGE', `The headers are longer than ${httpLimits.headerBytes} bytes.`]
  ],
  [
    'ERR_HTTP_REQUEST_TIMEOUT',
    ['408 Request Timeout', 'TIMEOUT', `The request was not there within ${httpLimits.requestMs / 1000} s.`]
  ]
])

/** Answers what is no request. */
const refuseUnread = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const [status, code, message] = unread.get(error.code ?? '') ?? [
    '400 Bad Request',
    'BAD_REQUEST',
    'This is no HTTP request.'
  ]
  const body = JSON.stringify(errorBody(code, message))
  const head = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close'
  }
  const lines = Object.entries({ ...safetyHeaders, ...head }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`)
}
