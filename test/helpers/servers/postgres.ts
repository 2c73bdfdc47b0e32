import { execFile, spawn } from 'node:child_process'
import { appendFileSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { codeOf } from '../../../src/runtime/error-code.ts'
import { freePort } from '../free-port.ts'
import { eventually } from '../network.ts'

const run = promisify(execFile)
const bin = '/usr/lib/postgresql/15/bin'

/** Debian's PostgreSQL 15 is here. */
export const hasPostgres = existsSync(join(bin, 'initdb'))

/** User that the server runs as: it refuses root. */
const nobody = 65_534
const asUser = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
const dropped = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups']

/** Network namespace of a server, and its address there. */
interface Place {
  readonly namespace: string
  readonly address: string
}

/** A real PostgreSQL server in a folder of its own, on [::1] alone or in another namespace; it asks for a password. */
export class PostgresServer implements AsyncDisposable {
  static readonly password = 'kept-in-a-file'
  readonly folder: string
  readonly port: number
  readonly #place: Place | undefined
  #ended: Promise<void> | undefined
  #disk: string | undefined
  #walAlone = false
  #tls: string[] = []
  #certificates = 0

  private constructor(folder: string, port: number, place?: Place) {
    this.folder = folder
    this.port = port
    this.#place = place
  }

  static async start(place?: Place): Promise<PostgresServer> {
    return await PostgresServer.#startWith((server) => server.#begin(), place)
  }

  /** With all that it writes, or its write-ahead log alone, on a disk of that size, which root alone can mount. */
  static async startOnDisk(bytes: number, { walAlone = false } = {}): Promise<PostgresServer> {
    return await PostgresServer.#startWith(async (server) => {
      await server.#mount(bytes)
      server.#walAlone = walAlone
      await server.#begin()
    })
  }

  /** That disk. */
  get disk(): string {
    if (this.#disk === undefined) throw new Error('it has no disk of its own')
    return this.#disk
  }

  /** A standby that has all of this server's log before a commit is answered. */
  async standby(): Promise<PostgresServer> {
    const standby = await PostgresServer.#startWith(async (server) => {
      const from = ['-h', this.folder, '-p', String(this.port), '-U', 'owner']
      await run(join(bin, 'pg_basebackup'), [...from, '-D', server.data, '-R', '-X', 'stream', '-c', 'fast'], asUser)
      await server.up()
    })
    await this.waitsFor('*')
    await eventually(
      async () => (await this.sql("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'")).length > 0
    )
    return standby
  }

  /** Commits wait for standbys of these names (`*`: any) before they are answered; for none with an empty text. */
  async waitsFor(standbys: string): Promise<void> {
    await this.sql(`ALTER SYSTEM SET synchronous_standby_names = '${standbys}'`)
    await this.sql('SELECT pg_reload_conf()')
  }

  /** A standby becomes the primary. */
  async promote(): Promise<void> {
    await this.sql('SELECT pg_promote()')
  }

  static async #startWith(begin: (server: PostgresServer) => Promise<void>, place?: Place): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'trustnet-pg-'))
    if (asUser.uid !== undefined) chownSync(folder, asUser.uid, asUser.gid)
    const server = new PostgresServer(folder, await freePort(), place)
    try {
      await begin(server)
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
    return server
  }

  async #begin(): Promise<void> {
    const auth = ['--auth-local=trust', '--auth-host=scram-sha-256', '--username=owner']
    const wal = this.#walAlone ? [`--waldir=${join(this.disk, 'wal')}`] : []
    const how = ['--no-sync', '--encoding=UTF8', '--locale=C', ...auth, ...wal]
    await run(join(bin, 'initdb'), ['-D', this.data, ...how], asUser)
    if (this.#place !== undefined)
      appendFileSync(join(this.data, 'pg_hba.conf'), 'hostssl all all ::/0 scram-sha-256\n')
    await this.up()
    await this.#admin(`ALTER USER owner PASSWORD '${PostgresServer.password}'`)
  }

  /** The folder of the database has to be empty, and its owner's. */
  async #mount(bytes: number): Promise<void> {
    const disk = join(this.folder, 'disk')
    mkdirSync(disk)
    await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=700,uid=${nobody},gid=${nobody}`, 'tmpfs', disk])
    this.#disk = disk
  }

  get data(): string {
    return join(this.#walAlone ? this.folder : (this.#disk ?? this.folder), 'data')
  }

  /** For `root.store`; with others that may be the primary. */
  get url(): string {
    return this.urlWith()
  }

  /** The same by the socket, which is reached from every namespace. */
  get socketUrl(): string {
    return `postgres://owner@${encodeURIComponent(this.folder)}:${this.port}/postgres`
  }

  urlWith(...others: readonly { readonly port: number }[]): string {
    return `postgres://owner@${[this, ...others].map(({ port }) => `[${this.#place?.address ?? '::1'}]:${port}`).join()}/postgres`
  }

  /** Starts it, and waits until it takes connections. */
  async up(): Promise<void> {
    const settings = [
      `port=${this.port}`,
      `listen_addresses=${this.#place?.address ?? '::1'}`,
      `unix_socket_directories=${this.folder}`,
      ...this.#tls
    ]
    const args = settings.flatMap((each) => ['-c', each])
    const command = [join(bin, 'postgres'), '-D', this.data, ...args]
    const child =
      this.#place === undefined
        ? spawn(command[0] ?? '', command.slice(1), { ...asUser, stdio: 'ignore' })
        : spawn('ip', ['netns', 'exec', this.#place.namespace, ...dropped, ...command], { stdio: 'ignore' })
    this.#ended = new Promise((resolve) => child.once('exit', () => resolve()))
    await eventually(
      async () =>
        await this.#admin('SELECT 1').then(
          () => true,
          () => false
        )
    )
  }

  /** Stops it as a power cut would, or in order; also one that is frozen. */
  async down(mode: 'immediate' | 'fast' = 'immediate'): Promise<void> {
    await this.thaw()
    await run(join(bin, 'pg_ctl'), ['-D', this.data, '-m', mode, '-W', 'stop'], asUser)
    await this.#ended
  }

  /** It answers nothing any more: as a machine that hangs. */
  async freeze(): Promise<void> {
    await this.#signalAll('SIGSTOP')
  }

  async thaw(): Promise<void> {
    await this.#signalAll('SIGCONT')
  }

  /** To the server, and its processes for connections. */
  async #signalAll(signal: NodeJS.Signals): Promise<void> {
    const pid = Number(readFileSync(join(this.data, 'postmaster.pid'), 'utf8').split('\n')[0])
    // `ps` fails where it finds none.
    const { stdout } = await run('ps', ['-o', 'pid=', '--ppid', String(pid)]).catch(() => ({ stdout: '' }))
    for (const each of [pid, ...[...stdout.matchAll(/\d+/g)].map(Number)]) {
      try {
        process.kill(each, signal)
      } catch (error) {
        // A process for a connection that ended meanwhile.
        if (codeOf(error) !== 'ESRCH') throw error
      }
    }
  }

  /** Speaks TLS from its next start on, with a certificate for this name alone. Gives the file with it. */
  async certify(subjectAltName: string): Promise<string> {
    const path = join(this.folder, `certificate-${this.#certificates++}`)
    const [key, certificate] = [`${path}.key`, `${path}.crt`]
    const made = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=database']
    const names = ['-addext', `subjectAltName=${subjectAltName}`]
    await run('openssl', ['req', ...made, ...names, '-keyout', key, '-out', certificate], asUser)
    this.#tls = ['ssl=on', `ssl_cert_file=${certificate}`, `ssl_key_file=${key}`]
    return certificate
  }

  /** Rows of a statement by its owner, over the unix socket. */
  async sql(text: string): Promise<Record<string, unknown>[]> {
    return await this.#admin(text)
  }

  async #admin(text: string): Promise<Record<string, unknown>[]> {
    const client = new Client({
      host: this.folder,
      port: this.port,
      user: 'owner',
      database: 'postgres',
      password: ''
    })
    client.on('error', () => {})
    try {
      await client.connect()
      const { rows } = await client.query<Record<string, unknown>>(text)
      return rows
    } finally {
      await client.end().catch(() => {})
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down().catch(() => {})
    if (this.#disk !== undefined) await run('umount', ['-l', this.#disk])
    rmSync(this.folder, { recursive: true, force: true })
  }
}
