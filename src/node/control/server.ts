import { chmod, unlink } from 'node:fs/promises'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { either, within } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import { failureOf, httpStatusOf } from '../../runtime/failures.ts'
import { makeFolder } from '../../runtime/make-folder.ts'
import type { Part } from '../../runtime/supervisor.ts'
import { apiPrefix } from '../api/client.ts'
import type { ControlApi } from '../api/control-api.ts'
import { AlreadyRunningError, ControlInputError } from '../api/errors.ts'
import { type RouteName, routes } from '../api/routes.ts'
import { unasked } from '../api/stamp.ts'
import type { ForwardParts } from '../forward/forwards.ts'
import { streamEvents } from './event-stream.ts'
import { serveForwards } from './forward-upgrade.ts'
import { callOf, checkedInput, isRouteName, queryInput } from './input.ts'

// An import of node:http reads all that it exports, and so loads fetch and WebSocket: 8 MiB that nothing here uses.
const { createServer } = process.getBuiltinModule('node:http')

export interface ControlServerInit {
  /** Path of the unix socket. Its folder is made, 0750, when it is not there. */
  path: string
  api: ControlApi
  logger: Logger
  /** Forwards that commands hold, and how many may at a time; undefined: there are none. */
  forwards?: { parts: ForwardParts; most: number } | undefined
  /** Told how it is. */
  part?: Part
}

/** sun_path of Linux is 108 bytes with its terminating zero. */
const maxPathBytes = 107
/** An invite line is the longest thing that is sent otherwise than in a document: 16 KiB. */
const maxBodyBytes = 20 * 1024
/** A document in base64, with its id and type. */
const maxDocumentBodyBytes = 360 * 1024
/** Watching terminals of one machine, with room: each holds one socket and one listener. */
const maxConnections = 64
/** For a command; `connect` and `invite` at a slow root are the longest. Event streams are exempt. */
const callTimeoutMs = 30_000

/**
 * Opens the control socket (0660: owner and group may speak to the process).
 * @throws AlreadyRunningError when another process answers there; a socket that nobody answers is taken over.
 */
export const startControlServer = async (init: ControlServerInit): Promise<AsyncDisposable> => {
  if (Buffer.byteLength(init.path) > maxPathBytes) {
    throw new ControlInputError(
      `The control socket ${init.path} cannot be opened: its path is longer than ${maxPathBytes} bytes. ` +
        'Set paths.runtime to a shorter folder.'
    )
  }
  makeFolder(dirname(init.path), 0o750)
  await removeStale(init.path)
  const closing = new AbortController()
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
    inBackground(answer(init, request, response, closing.signal), 'answering a command')
  })
  const { forwards } = init
  server.maxConnections = maxConnections + (forwards?.most ?? 0)
  if (forwards !== undefined)
    serveForwards(server, { forwards: forwards.parts, most: forwards.most, closing: closing.signal })
  await listen(server, init.path)
  server.on('error', (error) => {
    init.part?.failed(error)
    init.logger.error({ error: error.message }, 'The control socket failed; commands cannot reach this process')
  })
  await chmod(init.path, 0o660)
  return {
    async [Symbol.asyncDispose]() {
      closing.abort()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    }
  }
}

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
  })

const removeStale = async (path: string): Promise<void> => {
  const outcome = await new Promise<'free' | 'stale' | 'alive'>((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve('alive')
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ENOENT' ? 'free' : 'stale'))
  })
  if (outcome === 'alive') {
    throw new AlreadyRunningError(
      `Another process already answers at ${path}. Stop it, or give this node another name (--name) to run both.`
    )
  }
  if (outcome === 'stale') await unlink(path).catch(() => undefined)
}

const answer = async (
  { api, logger }: ControlServerInit,
  request: IncomingMessage,
  response: ServerResponse,
  closing: AbortSignal
): Promise<void> => {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const ended = either(gone.signal, closing)
  try {
    const url = new URL(request.url ?? '/', 'http://trustnet')
    if (request.method === 'GET' && url.pathname === `${apiPrefix}events`) {
      await streamEvents(api, response, { signal: ended })
      return
    }
    const name = url.pathname.startsWith(apiPrefix) ? url.pathname.slice(apiPrefix.length) : ''
    const isRead = request.method === 'GET'
    if (!isRouteName(name) || (isRead ? routes[name].writes : request.method !== 'POST')) {
      throw new ControlInputError(`There is no ${request.method} ${url.pathname}. Is the command of another version?`)
    }
    const input = checkedInput(
      name,
      isRead ? queryInput(name, url.searchParams) : await readJson(request, mostOf(name))
    )
    const signal = within(callTimeoutMs, ended)
    send(response, 200, await callOf(api, name)(input, { signal }))
  } catch (error) {
    refuse(response, error, logger, request.url ?? '')
  }
}

const mostOf = (name: RouteName): number => (name === 'publishDocument' ? maxDocumentBodyBytes : maxBodyBytes)

const readJson = async (request: IncomingMessage, mostBytes: number): Promise<unknown> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > mostBytes) throw new ControlInputError(`The request is larger than ${mostBytes} bytes.`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
  } catch {
    throw new ControlInputError('The request body is not JSON.')
  }
}

const bugs = new Set(['Error', 'TypeError', 'RangeError', 'ReferenceError', 'SyntaxError'])

const refuse = (response: ServerResponse, thrown: unknown, logger: Logger, url: string): void => {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const status = httpStatusOf(error)
  if (status === 500) {
    // A failure with a name of its own explains itself; where a bug is, only its stack tells.
    const stack = bugs.has(error.name) ? { stack: error.stack } : {}
    logger.error({ error: error.message, ...stack, url }, 'a command failed in this process; it was told so')
  }
  send(response, status, unasked({ error: { code: failureOf(error).code, name: error.name, message: error.message } }))
}

const send = (response: ServerResponse, status: number, body: object): void => {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
