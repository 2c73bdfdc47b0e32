import { lookup } from 'node:dns/promises'
import { Socket } from 'node:net'
import type { Client, ClientConfig } from 'pg'
import { OutcomeUnknownError } from '../../../registry/log/root-log/root-log.ts'
import { codeOf } from '../../../runtime/error-code.ts'
import { reasonOf } from '../../../runtime/error-message.ts'
import { UnavailableError } from '../../../runtime/errors.ts'
import { readText } from '../../../runtime/files/read-file.ts'
import { sleep } from '../../../runtime/sleep.ts'
import type { StoreTarget } from '../../config/field-types/root-store-url.ts'
import { ConfigError } from '../../errors.ts'

const retryMs = 1000
/** Certificates of a whole system are less. */
const maxCaBytes = 1_048_576
/** Name look-up, dial, TLS and login together: shorter than a lease. */
const connectMs = 2000
/** A statement that waits longer for the lease's row is refused by the server, which has then done nothing. */
const lockMs = 2000

/** SQLSTATE of a write that a standby refuses. */
const readOnly = '25006'

/** Values of one row, by column. */
export type Row = Readonly<Record<string, unknown>>

export interface PostgresLinkInit {
  readonly target: StoreTarget
  readonly password: string | undefined
  /** Time for one statement; then the connection is given up, and nobody knows what became of it. */
  readonly deadlineMs: number
  /** Time for a connection. */
  readonly connectMs?: number | undefined
}

/** One connection to the database of the log, made when it is needed and anew after a failure. */
export class PostgresLink implements AsyncDisposable {
  readonly #init: PostgresLinkInit
  #open: Promise<Connected> | undefined
  #isClosed = false

  constructor(init: PostgresLinkInit) {
    this.#init = init
  }

  /**
   * Rows of one statement, which is a transaction of its own.
   * @throws UnavailableError when nothing was changed; OutcomeUnknownError when it was sent and not answered
   */
  async query(text: string, values: readonly unknown[]): Promise<Row[]> {
    const connected = await this.#connected()
    try {
      const { rows } = await within(connected.client.query<Row>(text, [...values]), this.#init.deadlineMs)
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

  async #connected(): Promise<Connected> {
    if (this.#isClosed) throw new UnavailableError('the connection to the database of the log is closed', retryMs)
    this.#open ??= connect(this.#init, (connected) => this.#drop(connected))
    const opening = this.#open
    try {
      return await opening
    } catch (error) {
      if (this.#open === opening) this.#open = undefined
      throw error instanceof ConfigError ? error : this.#unavailable(error)
    }
  }

  #unavailable(error: unknown): UnavailableError {
    const { text } = this.#init.target
    return new UnavailableError(`the database of the log (${text}): ${reasonOf(error)}`, retryMs)
  }

  #drop({ socket, opened }: Connected): void {
    socket.destroy()
    if (this.#open === opened()) this.#open = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    const connected = await this.#open?.catch(() => undefined)
    if (connected !== undefined) await within(connected.client.end(), connectMs).catch(() => this.#drop(connected))
  }
}

interface Connected {
  readonly client: Client
  readonly socket: Socket
  /** Gives this connection. */
  readonly opened: () => Promise<Connected>
}

function connect(init: PostgresLinkInit, onGone: (connected: Connected) => void): Promise<Connected> {
  const socket = new Socket()
  const opened: Promise<Connected> = within(
    (async () => {
      const ClientOf = await loadPg()
      const client = new ClientOf(await configOf(init, socket))
      const connected = { client, socket, opened: () => opened }
      // Whoever asks next makes a new one.
      client.on('error', () => onGone(connected))
      await client.connect()
      return connected
    })(),
    init.connectMs ?? connectMs
  ).catch((error: unknown) => {
    socket.destroy()
    throw error
  })
  return opened
}

/** @throws ConfigError where it is not installed */
async function loadPg(): Promise<typeof Client> {
  try {
    const { default: pg } = await import('pg')
    return pg.Client
  } catch (error) {
    throw new ConfigError([
      `root.store needs the package pg, which is not installed: npm install pg (${reasonOf(error)})`
    ])
  }
}

/** Every field that pg would otherwise take from the environment or from files of its own is given. */
async function configOf({ target, password = '' }: PostgresLinkInit, socket: Socket): Promise<ClientConfig> {
  const { host, socketFolder, port, user, database } = target
  const address = host === undefined ? undefined : (await lookup(host, { family: 6 })).address
  return {
    host: address ?? socketFolder ?? '',
    port,
    user,
    database,
    password,
    ssl: tlsOf(target, address),
    stream: () => socket,
    keepAlive: true,
    application_name: 'trustnet',
    // A commit is durable, on a synchronous standby too where the server has one, before it is answered.
    options: `-c synchronous_commit=on -c lock_timeout=${lockMs}`
  }
}

/** Nothing but this machine itself is spoken to without TLS. A name that leads to it may lead elsewhere tomorrow. */
export const tlsOf = ({ host, ca }: StoreTarget, address: string | undefined): ClientConfig['ssl'] => {
  if (address === undefined || (host === '::1' && ca === undefined)) return false
  return {
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(host !== undefined && host !== address && { servername: host }),
    ...(ca !== undefined && { ca: readText(ca, maxCaBytes) })
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

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  const done = new AbortController()
  const late = sleep(ms, done.signal).then(() => {
    throw new Error(`no answer within ${ms} ms`)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    late.catch(() => {})
    work.catch(() => {})
    done.abort()
  }
}
