import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { either } from '../../runtime/abort.ts'
import type { CallOptions, ControlApi, ControlEvent } from './control-api.ts'
import { type ControlPath, holdSocket } from './control-path.ts'
import { ControlError, NothingRunningError } from './errors.ts'

// As in server.ts: the import would load fetch and WebSocket, too.
const { request } = process.getBuiltinModule('node:http')

export const apiPrefix = '/v1/'

export interface ControlClientInit {
  /** Path of the unix socket of the process. */
  path: string
  /** Deadline of one call; default 35 s, a little more than the server's own. */
  timeoutMs?: number
}

/**
 * The API of a running process. Each call is a POST to its name, so the routes give this client its types and nothing to load.
 * A call throws NothingRunningError when nobody listens, ControlError for what the process refused, and the reason of its signal.
 */
export const controlClient = (init: ControlClientInit): ControlApi => {
  const connection = new Connection(init)
  const api: ControlApi = Object.create(null)
  api.events = (options) => connection.events(options)
  return new Proxy(api, {
    get: (known, name): unknown =>
      // Whatever is awaited is asked for `then`.
      typeof name === 'symbol' || name === 'then' || name in known
        ? Reflect.get(known, name)
        : (input?: object, options?: CallOptions) => connection.call(name, input, options)
  })
}

/** A connection to the process that carries bytes from now on. @throws as a call */
export const controlUpgrade = async (init: ControlClientInit, path: string, signal: AbortSignal): Promise<Duplex> =>
  await new Connection(init).upgrade(apiPrefix + path, signal)

class Connection {
  readonly #path: string
  readonly #timeoutMs: number

  constructor(init: ControlClientInit) {
    this.#path = init.path
    this.#timeoutMs = init.timeoutMs ?? 35_000
  }

  async *events(options: CallOptions = {}): AsyncGenerator<ControlEvent> {
    const response = await this.#request('GET', `${apiPrefix}events`, undefined, options.signal)
    let line = ''
    try {
      for await (const text of response.setEncoding('utf8') as AsyncIterable<string>) {
        const [first = '', ...others] = text.split('\n')
        line += first
        for (const next of others) {
          const event: ControlEvent = JSON.parse(line)
          requireObject(event)
          yield event
          line = next
        }
        if (line.length > mostEventChars) throw strange('it sent an event of more than 1 MiB')
      }
    } catch (error) {
      if (options.signal?.aborted !== true) throw error
    } finally {
      response.destroy()
    }
  }

  async call(name: string, input: object = {}, options: CallOptions = {}): Promise<unknown> {
    const timeout = AbortSignal.timeout(this.#timeoutMs)
    const signal = either(options.signal, timeout)
    try {
      return await readAnswer(await this.#request('POST', apiPrefix + name, JSON.stringify(input), signal))
    } catch (error) {
      options.signal?.throwIfAborted()
      throw timeout.aborted ? this.#late() : error
    }
  }

  #request(method: string, path: string, body: string | undefined, signal?: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const held = this.#hold()
      const options = {
        socketPath: held.path,
        method,
        path,
        headers: { 'content-type': 'application/json' },
        agent: false
      }
      const call = request(signal === undefined ? options : { ...options, signal }, resolve)
      call.once('error', (error: NodeJS.ErrnoException) => reject(this.#explain(error)))
      call.once('close', () => {
        held[Symbol.dispose]()
        // All that Node tells of an answer that changes the protocol.
        reject(strange('it changed the protocol'))
      })
      call.end(body)
    })
  }

  upgrade(path: string, signal: AbortSignal): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const held = this.#hold()
      const headers = { connection: 'upgrade', upgrade: 'trustnet-forward' }
      // With an agent it would not be asked.
      const createConnection = () => connect({ path: held.path, allowHalfOpen: true })
      const call = request({ path, headers, createConnection, signal })
      call.once('error', (error: NodeJS.ErrnoException) => reject(this.#explain(error)))
      call.once('close', () => {
        held[Symbol.dispose]()
        reject(strange('it forwards nothing'))
      })
      call.once('upgrade', (_, socket, head) => {
        if (head.byteLength > 0) socket.unshift(head)
        resolve(socket)
      })
      // An answer that is none: what was refused.
      call.once('response', (response) => {
        readAnswer(response).then(() => reject(strange('it forwards nothing')), reject)
      })
      call.end()
    })
  }

  #hold(): ControlPath {
    try {
      return holdSocket(this.#path)
    } catch (error) {
      throw error instanceof Error ? this.#explain(error) : error
    }
  }

  #late(): ControlError {
    return new ControlError(
      `The process at ${this.#path} did not answer in ${this.#timeoutMs / 1000} s: it is stopped, overloaded, or has no file descriptor left (ulimit -n, LimitNOFILE). Its log says which; then restart it.`,
      'TimeoutError',
      504
    )
  }

  #explain(error: NodeJS.ErrnoException): Error {
    if (error instanceof ControlError) return error
    if (error.name === 'AbortError') return this.#late()
    if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') {
      return new NothingRunningError(`No process answers at ${this.#path}. Start one with: trustnet node start`)
    }
    if (error.code === 'EACCES') {
      return new ControlError(
        `${this.#path} may be used by its owner and group only. Use sudo, or join that group.`,
        'AccessError',
        403
      )
    }
    if (error.code === 'EPIPE' || error.code === 'ECONNRESET') {
      return new ControlError(
        `The process at ${this.#path} ended the connection without an answer: it stops, or as many commands as it takes are connected to it. Try again; its log says more.`,
        'UnavailableError',
        503
      )
    }
    return new ControlError(`The process at ${this.#path} broke off: ${error.message}.`, 'UnavailableError', 503)
  }
}

/** An answer about a network of 100,000 members is a part of it. */
const mostAnswerBytes = 128 * 2 ** 20
const mostEventChars = 2 ** 20

/** The process may be that of another user, and not ours at all. */
const strange = (what: string): ControlError =>
  new ControlError(
    `What answers at the control socket is no node of this version: ${what}. Restart the node with: trustnet node start`,
    'UnsupportedVersionError',
    400
  )

const requireObject = (value: unknown): void => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw strange('it sent no JSON object')
}

const readAnswer = async (response: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength
    // Whoever leaves the loop destroys the response.
    if (bytes > mostAnswerBytes) throw strange('it sent more than 128 MiB')
    chunks.push(chunk)
  }
  let body: { schema?: unknown; error?: { code?: unknown; name?: unknown; message?: unknown } | null }
  try {
    body = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw strange('it sent no JSON')
  }
  requireObject(body)
  const { error } = body
  if (error !== undefined) {
    if (typeof error?.name !== 'string' || typeof error.message !== 'string')
      throw strange('it sent an error without a name')
    const code = typeof error.code === 'string' ? error.code : undefined
    throw new ControlError(error.message, error.name, response.statusCode ?? 500, code)
  }
  if (body.schema !== 1) {
    throw new ControlError(
      'The running process is of another version than this command.',
      'UnsupportedVersionError',
      400
    )
  }
  return body
}
