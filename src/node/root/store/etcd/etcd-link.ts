import type { IncomingMessage } from 'node:http'
import { Agent, type RequestOptions, request } from 'node:https'
import { either } from '../../../../runtime/abort.ts'
import { codeOf } from '../../../../runtime/error-code.ts'
import { reasonOf } from '../../../../runtime/error-message.ts'
import { readPrivateText, readText } from '../../../../runtime/files/read-file.ts'
import { sleep } from '../../../../runtime/sleep.ts'
import type { EtcdEndpoint, EtcdTarget } from '../../../config/field-types/etcd-url.ts'
import { ConfigError } from '../../../errors.ts'
import { EtcdFailure, failureOf } from './etcd-failure.ts'

/** Certificates of a whole system are less. */
const maxPemBytes = 1_048_576
/** A page of entries in base64 is less than half of it. */
const maxAnswerBytes = 4_194_304
/** Requests to one member at a time: appends, and the lease beside them. */
const maxSockets = 4
/** Pause after all members were asked, none of which could answer: a new leader is elected within about a second. */
const roundMs = 100

const ownersAlone = { others: 0o077, mode: '600' }

/** Time that a call may take. */
export interface Patience {
  /** For the answer of one member; then the next one is asked. */
  readonly attemptMs: number
  readonly totalMs: number
}

export interface Answer {
  /** JSON, of any shape. */
  readonly value: unknown
  /** A member that gave no answer may have done the same before. */
  readonly isRepeated: boolean
  /** Wall clock of the member that answered, ms since 1970, in whole seconds; undefined: it did not say. */
  readonly clockMs: number | undefined
}

/** The members of an etcd, by its JSON gateway: the one that answered last is asked first. */
export class EtcdLink implements Disposable {
  readonly #target: EtcdTarget
  readonly #closed = new AbortController()
  #agent: Agent | undefined
  #preferred = 0

  constructor(target: EtcdTarget) {
    this.#target = target
  }

  /**
   * Posts to one member after the other until one answers: what is asked must be such that a second time does no harm.
   * @throws EtcdFailure, or ConfigError for files that cannot be read
   */
  async call(path: string, body: object, { attemptMs, totalMs }: Patience): Promise<Answer> {
    const text = JSON.stringify(body)
    const untilMs = performance.now() + totalMs
    let isRepeated = false
    for (;;) {
      let last: EtcdFailure | undefined
      let isSent = false
      for (const [i, endpoint] of this.#inTurn()) {
        const leftMs = untilMs - performance.now()
        if (leftMs <= 0 && last !== undefined) break
        try {
          const { value, clockMs } = await this.#post(endpoint, path, text, Math.max(1, Math.min(attemptMs, leftMs)))
          this.#preferred = i
          return { value, isRepeated, clockMs }
        } catch (error) {
          if (!(error instanceof EtcdFailure)) throw error
          last = error
          isSent ||= last.outcome === 'unknown'
          isRepeated ||= isSent
          if (last.outcome === 'refused') throw last.after(isRepeated)
        }
      }
      const isOver = !isSent || performance.now() + roundMs >= untilMs || this.#closed.signal.aborted
      if (last !== undefined && isOver) throw last.after(isRepeated)
      await sleep(roundMs)
    }
  }

  #inTurn(): (readonly [number, EtcdEndpoint])[] {
    const all = [...this.#target.endpoints.entries()]
    return [...all.slice(this.#preferred), ...all.slice(0, this.#preferred)]
  }

  async #post(endpoint: EtcdEndpoint, path: string, body: string, ms: number): Promise<Omit<Answer, 'isRepeated'>> {
    const agent = this.#connections()
    const deadline = AbortSignal.timeout(Math.ceil(ms))
    const at = `${endpoint.host}:${endpoint.port}`
    const sending = { isSent: false }
    try {
      const signal = either(this.#closed.signal, deadline)
      const reply = await answerOf({ agent, ...endpoint, path, signal }, body, sending)
      return { value: jsonOf(reply, at), clockMs: momentIn(reply.date) }
    } catch (error) {
      // The next connection reads the certificates anew.
      if (!sending.isSent && this.#agent === agent) this.#drop()
      throw failureOf(deadline.aborted ? `no answer within ${Math.ceil(ms)} ms` : error, { ...sending, at })
    }
  }

  /** @throws ConfigError for files that cannot be read */
  #connections(): Agent {
    const { ca, certificate, key } = this.#target
    this.#agent ??= new Agent({
      keepAlive: true,
      maxSockets,
      minVersion: 'TLSv1.2',
      cert: pem(() => readText(certificate, maxPemBytes)),
      key: pem(() => readPrivateText(key, maxPemBytes, ownersAlone)),
      ...(ca !== undefined && { ca: pem(() => readText(ca, maxPemBytes)) })
    })
    return this.#agent
  }

  #drop(): void {
    this.#agent?.destroy()
    this.#agent = undefined
  }

  [Symbol.dispose](): void {
    this.#closed.abort(new Error('the connection to etcd is closed'))
    this.#drop()
  }
}

const pem = (read: () => string): string => {
  try {
    return read()
  } catch (error) {
    throw new ConfigError([
      `root.store: ${reasonOf(error)}${codeOf(error) === 'EACCES' ? ': give it to this user' : ''}`
    ])
  }
}

/** undefined: it is no date. */
function momentIn(date: string | undefined): number | undefined {
  const ms = Date.parse(date ?? '')
  return Number.isNaN(ms) ? undefined : ms
}

interface Reply {
  readonly status: number
  readonly date: string | undefined
  readonly text: string
}

/** Sends a request and gives the answer to it. `sending` says whether somebody may have read it. */
async function answerOf(to: RequestOptions, body: string, sending: { isSent: boolean }): Promise<Reply> {
  const onSecure = (): void => {
    sending.isSent = true
  }
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  return await new Promise((resolve, reject) => {
    const asked = request({ ...to, method: 'POST', family: 6, headers })
    asked.on('error', reject)
    asked.on('socket', (socket) => {
      if (asked.reusedSocket) onSecure()
      else socket.once('secureConnect', onSecure)
    })
    asked.on('response', (response) => {
      const {
        statusCode = 0,
        headers: { date }
      } = response
      textOf(response).then((text) => resolve({ status: statusCode, date, text }), reject)
    })
    asked.end(body)
  })
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxAnswerBytes) throw new Error(`its answer has more than ${maxAnswerBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** @throws EtcdFailure for an answer that is a failure, or none */
function jsonOf({ status, text }: Reply, at: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw failureOf(`it answers ${status} without JSON: is it an etcd 3.4 or newer?`, { isSent: true, at })
  }
  if (status === 200) return value
  throw failureOf(value, { isSent: true, at, status })
}
