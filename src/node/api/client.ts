import type { IncomingMessage } from 'node:http'
import { apiPrefix, methods, type RouteName } from '../control/methods.ts'
import type { CallOptions, ControlApi, ControlEvent, View } from './control-api.ts'
import { ControlError, NothingRunningError } from './errors.ts'

// As in server.ts: the import would load fetch and WebSocket, too.
const { request } = process.getBuiltinModule('node:http')

export interface ControlClientInit {
  /** Path of the unix socket of the process. */
  path: string
  /** Of one call; default 35 s, a little more than the server's own. */
  timeoutMs?: number
}

type Input = Readonly<Record<string, string | number | boolean | undefined>>

/** Speaks to a running process. Throws NothingRunningError when nobody listens, ControlError for what the process refused. */
export class ControlClient implements ControlApi {
  readonly #path: string
  readonly #timeoutMs: number

  constructor(init: ControlClientInit) {
    this.#path = init.path
    this.#timeoutMs = init.timeoutMs ?? 35_000
  }

  status: ControlApi['status'] = (options) => this.#call('status', {}, options)
  peers: ControlApi['peers'] = (options) => this.#call('peers', {}, options)
  lookup: ControlApi['lookup'] = (query, options) => this.#call('lookup', { ...query }, options)
  why: ControlApi['why'] = (peer, options) => this.#call('why', { peer }, options)
  identity: ControlApi['identity'] = (options) => this.#call('identity', {}, options)
  address: ControlApi['address'] = (peer, options) => this.#call('address', { peer }, options)
  registryStatus: ControlApi['registryStatus'] = (options) => this.#call('registry/status', {}, options)
  registryNodes: ControlApi['registryNodes'] = (options) => this.#call('registry/nodes', {}, options)
  log: ControlApi['log'] = (query, options) => this.#call('registry/log', { ...query }, options)
  pending: ControlApi['pending'] = (options) => this.#call('registry/pending', {}, options)
  approve: ControlApi['approve'] = (peer, options) => this.#call('registry/approve', { peer }, options)
  reject: ControlApi['reject'] = (peer, reason, options) => this.#call('registry/reject', { peer, reason }, options)
  rejectAll: ControlApi['rejectAll'] = (which, reason, options) =>
    this.#call('registry/reject-all', { ...which, reason }, options)
  backup: ControlApi['backup'] = (to, options) => this.#call('registry/backup', { to }, options)
  fetchStore: ControlApi['fetchStore'] = (peer, to, options) => this.#call('registry/fetch', { peer, to }, options)
  clock: ControlApi['clock'] = (options) => this.#call('registry/clock', {}, options)

  acceptClock: ControlApi['acceptClock'] = (options) => this.#call('registry/clock/accept', {}, options)

  voidRevokes: ControlApi['voidRevokes'] = (options) => this.#call('registry/void', {}, options)

  dismissVoid: ControlApi['dismissVoid'] = (peer, options) => this.#call('registry/void/dismiss', { peer }, options)

  resume: ControlApi['resume'] = (head, options) => this.#call('registry/resume', { head }, options)
  invite: ControlApi['invite'] = (query, options) => this.#call('invite', { ...query }, options)
  invites: ControlApi['invites'] = (id, options) => this.#call('invite/list', { id }, options)
  cancelInvite: ControlApi['cancelInvite'] = (id, reason, options) =>
    this.#call('invite/cancel', { id, reason }, options)
  policy: ControlApi['policy'] = (options) => this.#call('policy', {}, options)
  setPolicy: ControlApi['setPolicy'] = (changes, options) => this.#call('policy/set', { ...changes }, options)
  join: ControlApi['join'] = (line, options) => this.#call('join', { line }, options)
  leave: ControlApi['leave'] = (query, options) => this.#call('leave', { ...query }, options)
  revoke: ControlApi['revoke'] = (peer, reason, options) => this.#call('revoke', { peer, reason }, options)
  connect: ControlApi['connect'] = (multiaddr, options) => this.#call('connect', { multiaddr }, options)
  disconnect: ControlApi['disconnect'] = (peer, options) => this.#call('disconnect', { peer }, options)
  acknowledge: ControlApi['acknowledge'] = (code, options) => this.#call('acknowledge', { code }, options)

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

  async #call<T extends View>(name: RouteName, input: Input, options: CallOptions = {}): Promise<T> {
    const method = methods[name]
    const given = Object.entries(input).filter(([, value]) => value !== undefined)
    const query = new URLSearchParams(given.map(([key, value]) => [key, String(value)]))
    const path = method === 'GET' && given.length > 0 ? `${apiPrefix}${name}?${query}` : `${apiPrefix}${name}`
    const body = method === 'POST' ? JSON.stringify(Object.fromEntries(given)) : undefined
    const timeout = AbortSignal.timeout(this.#timeoutMs)
    const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout])
    const response = await this.#request(method, path, body, signal)
    return readAnswer<T>(response)
  }

  #request(method: string, path: string, body: string | undefined, signal?: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const options = {
        socketPath: this.#path,
        method,
        path,
        headers: { 'content-type': 'application/json' },
        agent: false
      }
      const call = request(signal === undefined ? options : { ...options, signal }, resolve)
      call.once('error', (error: NodeJS.ErrnoException) => reject(this.#explain(error)))
      call.end(body)
    })
  }

  #explain(error: NodeJS.ErrnoException): Error {
    if (error.name === 'AbortError') return new ControlError('The process did not answer in time.', 'TimeoutError', 504)
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

const readAnswer = async <T extends View>(response: IncomingMessage): Promise<T> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength
    // Whoever leaves the loop destroys the response.
    if (bytes > mostAnswerBytes) throw strange('it sent more than 128 MiB')
    chunks.push(chunk)
  }
  let body: T & { error?: { name?: unknown; message?: unknown } | null }
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
    throw new ControlError(error.message, error.name, response.statusCode ?? 500)
  }
  if (body.schemaVersion !== 1) {
    throw new ControlError(
      'The running process is of another version than this command.',
      'UnsupportedVersionError',
      400
    )
  }
  return body
}
