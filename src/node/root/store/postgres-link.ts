import { OutcomeUnknownError } from '../../../registry/log/root-log/root-log.ts'
import { codeOf } from '../../../runtime/error-code.ts'
import { reasonOf } from '../../../runtime/error-message.ts'
import { UnavailableError } from '../../../runtime/errors.ts'
import { ConfigError } from '../../errors.ts'
import { type Connected, type PostgresServers, within } from './postgres-servers.ts'

const retryMs = 1000
/** For a goodbye to the server. */
const endMs = 2000

/** SQLSTATE of a write that a standby refuses. */
const readOnly = '25006'

/** Values of one row, by column. */
export type Row = Readonly<Record<string, unknown>>

/** One connection to the database of the log, made when it is needed and anew after a failure. */
export class PostgresLink implements AsyncDisposable {
  readonly #servers: PostgresServers
  readonly #deadlineMs: number
  #open: Promise<Connected> | undefined
  /** The one that is open. */
  #connected: Connected | undefined
  /** Ends with the statement that was asked for last: a connection carries one at a time. */
  #turn: Promise<unknown> = Promise.resolve()
  #isClosed = false

  /** `deadlineMs`: time for one statement; then the connection is given up, and nobody knows what became of it. */
  constructor(servers: PostgresServers, deadlineMs: number) {
    this.#servers = servers
    this.#deadlineMs = deadlineMs
  }

  /**
   * Rows of one statement, which is a transaction of its own.
   * @throws UnavailableError when nothing was changed; OutcomeUnknownError when it was sent and not answered
   */
  async query(text: string, values: readonly unknown[]): Promise<Row[]> {
    const rows = this.#turn.then(async () => await this.#query(text, values))
    this.#turn = rows.catch(() => {})
    return await rows
  }

  async #query(text: string, values: readonly unknown[]): Promise<Row[]> {
    const connected = await this.#connect()
    connected.awaitAnswer()
    try {
      const { rows } = await within(connected.client.query<Row>(text, [...values]), this.#deadlineMs)
      return rows
    } catch (error) {
      if (isRefusal(error)) {
        // A server that became a standby stays one: the next dial may lead to the primary.
        if (codeOf(error) === readOnly) this.#drop(connected)
        throw this.#unavailable(error)
      }
      this.#drop(connected)
      throw new OutcomeUnknownError(`the database of the log did not answer: ${reasonOf(error)}`, { cause: error })
    }
  }

  async #connect(): Promise<Connected> {
    if (this.#isClosed) throw new UnavailableError('the connection to the database of the log is closed', retryMs)
    this.#open ??= this.#servers.dial((connected) => this.#drop(connected))
    const opening = this.#open
    try {
      const connected = await opening
      if (this.#open === opening) this.#connected = connected
      return connected
    } catch (error) {
      if (this.#open === opening) this.#open = undefined
      throw error instanceof ConfigError ? error : this.#unavailable(error)
    }
  }

  #unavailable(error: unknown): UnavailableError {
    return new UnavailableError(`the database of the log (${this.#servers.text}): ${reasonOf(error)}`, retryMs)
  }

  #drop(connected: Connected): void {
    connected.socket.destroy()
    if (this.#connected !== connected) return
    this.#connected = undefined
    this.#open = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    const connected = await this.#open?.catch(() => undefined)
    if (connected !== undefined) await within(connected.client.end(), endMs).catch(() => this.#drop(connected))
  }
}

/**
 * The server answered that it did nothing; a server that shuts down may have committed before it says so. Only what comes from the server
 * has a severity: EPIPE of a socket looks like one of its codes, and says nothing of what was sent before.
 */
export const isRefusal = (error: unknown): error is Error => {
  const code = error instanceof Error && 'severity' in error ? codeOf(error) : undefined
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !/^(08|57P|58|XX)/.test(code)
}
