import { lookup } from 'node:dns/promises'
import { Socket } from 'node:net'
import type { Client, ClientConfig } from 'pg'
import { inBackground } from '../../../runtime/background.ts'
import { codeOf } from '../../../runtime/error-code.ts'
import { reasonOf } from '../../../runtime/error-message.ts'
import { readText } from '../../../runtime/files/read-file.ts'
import { sleep } from '../../../runtime/sleep.ts'
import type { StoreServer, StoreTarget } from '../../config/field-types/root-store-url.ts'
import { ConfigError } from '../../errors.ts'

/** Certificates of a whole system are less. */
const maxCaBytes = 1_048_576
/** A page of entries in hexadecimal is less. */
const maxAnswerBytes = 20_971_520
/** Name look-up, dial, TLS and login together: shorter than a lease. */
const defaultConnectMs = 2000
/** A statement that waits longer for the lease's row is refused by the server, which has then done nothing. */
const lockMs = 2000
/** Once one primary has answered, others are waited for so long: of two, one is an old one that nobody has stopped. */
const otherPrimaryMs = 300

/** SQLSTATE of a function that a server which only speaks as PostgreSQL does may lack. */
const noSuchFunction = '42883'

/** A standby promises to become the primary with a higher number: its first eight digits in the name of a file of the write-ahead log. */
const lineText = `
SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END AS line`

export interface PostgresServersInit {
  readonly target: StoreTarget
  readonly password: string | undefined
  /** Time for a connection. */
  readonly connectMs?: number | undefined
}

/** A connection to one server. */
export interface Connected {
  readonly client: Client
  readonly socket: Socket
  /** Another answer may come from now on. */
  readonly awaitAnswer: () => void
}

interface Primary extends Connected {
  /** Number of its history: each standby that took a primary's place has a higher one. */
  readonly line: number
}

/** The servers of the database of the log: one of them is the primary. */
export class PostgresServers {
  readonly #init: PostgresServersInit
  /** History of the primary that was used last. */
  #line = 0

  constructor(init: PostgresServersInit) {
    this.#init = init
  }

  /** The database as the configuration names it. */
  get text(): string {
    return this.#init.target.text
  }

  /** Connects to the primary; of two, to the one whose history is the newer. `onGone`: it is broken. @throws ConfigError, Error */
  async dial(onGone: (connected: Connected) => void): Promise<Connected> {
    const { servers } = this.#init.target
    const [only] = servers
    if (servers.length === 1 && only !== undefined) return await this.#within(only, onGone, async () => 0)
    const found: Primary[] = []
    const dialled = servers.map(async (server) => {
      const primary = await this.#within(server, onGone, lineOf)
      found.push(primary)
      return primary
    })
    const all = Promise.allSettled(dialled)
    const first = await Promise.any(dialled).catch(() => undefined)
    if (first === undefined) throw noneOf(await all, servers)
    const isEnough = new AbortController()
    await Promise.race([all, sleep(otherPrimaryMs, isEnough.signal).catch(() => {})])
    isEnough.abort()
    const newest = found.reduce((one, other) => (other.line > one.line ? other : one), first)
    const rest = all.then(() => endAll(found.filter((primary) => primary !== newest)))
    inBackground(rest, 'leaving the other servers of the log')
    if (newest.line < this.#line) {
      newest.socket.destroy()
      throw new Error(
        `the only primary that answers is an old one (timeline ${newest.line}, ${this.#line} has followed it): stop it, or restart this process if the database was made anew`
      )
    }
    this.#line = newest.line
    return newest
  }

  async #within(
    server: StoreServer,
    onGone: (connected: Connected) => void,
    lineFrom: (client: Client) => Promise<number>
  ): Promise<Primary> {
    const socket = new Socket()
    const work = (async () => {
      const ClientOf = await loadPg()
      const config = await configOf(server, this.#init, socket)
      const client = new ClientOf(config)
      const connected = { client, socket, awaitAnswer: boundAnswers(client, socket, config.ssl !== false) }
      // Whoever asks next makes a new one.
      client.on('error', () => onGone(connected))
      await client.connect()
      return Object.assign(connected, { line: await lineFrom(client) })
    })()
    try {
      return await within(work, this.#init.connectMs ?? defaultConnectMs)
    } catch (error) {
      socket.destroy()
      throw error
    }
  }
}

/** Cuts the connection when more comes than an answer has: the library would keep all of it. Gives the call by which the next answer is awaited. */
function boundAnswers(client: Client, socket: Socket, isEncrypted: boolean): () => void {
  let came = 0
  const count = (bytes: Buffer): void => {
    came += bytes.length
    if (came > maxAnswerBytes) socket.destroy(new Error(`its answer has more than ${maxAnswerBytes} bytes`))
  }
  const { connection } = client
  if (isEncrypted) connection.once('sslconnect', () => connection.stream.on('data', count))
  else socket.on('data', count)
  return () => {
    came = 0
  }
}

/** @throws Error for a standby */
async function lineOf(client: Client): Promise<number> {
  try {
    const { rows } = await client.query<{ line: string | null }>(lineText)
    const line = rows[0]?.line ?? undefined
    if (line === undefined) throw new Error('it is a standby')
    return Number.parseInt(line, 16)
  } catch (error) {
    if (codeOf(error) === noSuchFunction) return 0
    throw error
  }
}

const endAll = (primaries: readonly Primary[]): void => {
  for (const { socket } of primaries) socket.destroy()
}

/** Reason why none of them is the primary. */
function noneOf(outcomes: readonly PromiseSettledResult<unknown>[], servers: readonly StoreServer[]): Error {
  const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
  const config = reasons.find((reason) => reason instanceof ConfigError)
  if (config !== undefined) return config
  const each = reasons.map(
    (reason, i) => `${servers[i]?.host ?? 'socket'} port ${servers[i]?.port}: ${reasonOf(reason)}`
  )
  return new Error(`none of its servers is a primary that answers (${each.join('; ')})`)
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
async function configOf(
  server: StoreServer,
  { target: { user, database, ca }, password = '' }: PostgresServersInit,
  socket: Socket
): Promise<ClientConfig> {
  const { host, socketFolder, port } = server
  const address = host === undefined ? undefined : (await lookup(host, { family: 6 })).address
  return {
    host: address ?? socketFolder ?? '',
    port,
    user,
    database,
    password,
    ssl: tlsOf(host, ca, address),
    stream: () => socket,
    keepAlive: true,
    application_name: 'trustnet',
    // A commit is durable, on a synchronous standby too where the server has one, before it is answered.
    options: `-c synchronous_commit=on -c lock_timeout=${lockMs}`
  }
}

/** Nothing but this machine itself is spoken to without TLS. A name that leads to it may lead elsewhere tomorrow. */
export const tlsOf = (
  host: string | undefined,
  ca: string | undefined,
  address: string | undefined
): ClientConfig['ssl'] => {
  if (address === undefined || (host === '::1' && ca === undefined)) return false
  return {
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(host !== undefined && host !== address && { servername: host }),
    ...(ca !== undefined && { ca: readText(ca, maxCaBytes) })
  }
}

/** @throws what `work` throws, or an Error when it takes longer */
export async function within<T>(work: Promise<T>, ms: number): Promise<T> {
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
