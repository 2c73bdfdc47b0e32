import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { PING_PROTOCOL, type Ping, ping } from '@libp2p/ping'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { SigningKey } from '../../../src/identity/keys.ts'
import { defaults } from '../../../src/node/config/defaults.ts'
import { Gater } from '../../../src/node/host/gater.ts'
import { type BaseServices, libp2pOptions } from '../../../src/node/host/libp2p.ts'
import { createLogging } from '../../../src/node/logging.ts'
import { limitsWith } from '../../../src/protocols/engine/limits.ts'
import { ConnectionTrust } from '../../../src/protocols/engine/trust/connection-trust.ts'
import { discoveryHello, type Hello, type HelloSource, hello } from '../../../src/protocols/hello/index.ts'
import {
  openRegisterSession,
  type RegisterCall,
  type Registered,
  type RegisterSession
} from '../../../src/protocols/register/index.ts'
import { Backoff } from '../../../src/runtime/backoff.ts'
import type { RootAddress } from '../../processes/root.ts'
import { helloMs } from '../network.ts'
import { memberKey, memberRecord, memberRole, nextSeq, serviceNamed } from './members.ts'

/** The client's own limits; nothing of it is served to others. */
export const clientLimits = limitsWith({
  hello: { deadlineMs: helloMs, settleMs: helloMs },
  lookup: { deadlineMs: 60_000 },
  register: { requestMs: 60_000, joinMs: 60_000 }
})

const logging = createLogging({ node: 'member', level: 'fatal', format: 'json' })
export const gater = new Gater({ limits: { ...defaults.limits, connections: 1_000_000 } })

type Services = BaseServices & { hello: Hello; ping: Ping }

/**
 * A member's libp2p host with the options of the product, its hello, and nothing kept on disk: so that thousands fit beside the root
 * that they are to load.
 */
export class LightMember {
  readonly number: number
  readonly key: SigningKey
  readonly host: Libp2p<Services>
  readonly instance = Uint8Array.from(randomBytes(16))
  readonly #trust: ConnectionTrust
  readonly #shown: { admit?: Uint8Array }
  readonly #root: RootAddress
  #connection: Connection | undefined
  #session: RegisterSession | undefined
  #beats: NodeJS.Timeout | undefined
  beats = 0
  #stopped = false

  private constructor(
    number: number,
    root: RootAddress,
    key: SigningKey,
    host: Libp2p<Services>,
    trust: ConnectionTrust,
    shown: { admit?: Uint8Array }
  ) {
    this.number = number
    this.key = key
    this.host = host
    this.#root = root
    this.#trust = trust
    this.#shown = shown
  }

  static async start(number: number, root: RootAddress): Promise<LightMember> {
    const key = memberKey(number)
    const trust = new ConnectionTrust({ limits: clientLimits.strangers, settleMs: clientLimits.hello.settleMs })
    const source = discoveryHello({
      role: memberRole(number),
      software: 'bench',
      pin: root.networkId,
      maxDelegations: clientLimits.hello.delegations
    })
    // Its admit entry, once a registry has told it: whoever shows none is a stranger, of whom few may be connected.
    const shown: { admit?: Uint8Array } = {}
    const own: HelloSource = {
      local: () => ({ ...source.local(), ...shown }),
      judge: async (...given) => await source.judge(...given)
    }
    const host = await createLibp2p(
      libp2pOptions<Services>({
        privateKey: key.toLibp2p(),
        listen: [],
        announce: () => [],
        gater,
        logger: logging.libp2p,
        limits: { dialTimeoutMs: 30_000, memberUpgradeTimeoutMs: 30_000 },
        services: { hello: hello({ source: own, trust, limits: clientLimits }), ping: ping() }
      })
    )
    return new LightMember(number, root, key, host, trust, shown)
  }

  get connection(): Connection {
    if (this.#connection === undefined) throw new Error(`member ${this.number} is not connected`)
    return this.#connection
  }

  get session(): RegisterSession {
    if (this.#session === undefined) throw new Error(`member ${this.number} has no session`)
    return this.#session
  }

  /** Answers pings from now on, or leaves them without an answer as a process does that is too busy. */
  async answerPings(answers: boolean): Promise<void> {
    const handler = (stream: Stream): void => {
      if (answers) stream.addEventListener('message', ({ data }) => stream.send(data))
    }
    await this.host.handle(PING_PROTOCOL, handler, { force: true })
  }

  nextRecord(services: string[] = ['bench']): Uint8Array {
    return memberRecord(this.#root.networkId, this.key, nextSeq(), { services: services.map(serviceNamed) })
  }

  async connect(): Promise<Connection> {
    this.#connection = await this.connectTo(this.#root.address)
    return this.#connection
  }

  /** To any registry of the network. */
  async connectTo(address: string): Promise<Connection> {
    const connection = await this.host.dial(multiaddr(address), { signal: AbortSignal.timeout(30_000) })
    await this.settle(connection)
    return connection
  }

  /** The admit entry that a registry told it. */
  get admit(): Uint8Array {
    if (this.#shown.admit === undefined) throw new Error(`member ${this.number} is not admitted`)
    return this.#shown.admit
  }

  /** From now on its hello shows that it is a member. */
  show(admit: Uint8Array): void {
    this.#shown.admit = admit
  }

  /** Resolves when hello was said both ways. */
  async settle(connection: Connection): Promise<void> {
    await this.#trust.settled(connection)
  }

  /** Connects where needed, opens a session and registers, or joins. */
  async register(given: Partial<RegisterCall> = {}): Promise<Registered> {
    if (this.#connection?.status !== 'open') await this.connect()
    this.#session = await openRegisterSession(this.connection, { limits: clientLimits })
    const session = this.#session
    void this.#watch(session)
    const registered = await session.register({ record: this.nextRecord(), instance: this.instance, ...given })
    this.beatEvery(registered.heartbeatMs)
    return registered
  }

  async #watch(session: RegisterSession): Promise<void> {
    const { reason } = await session.closed
    if (!this.#stopped && session === this.#session) this.onLost(reason)
  }

  /** Each interval a tenth longer or shorter, and the first one any part of it. 0: no more. */
  beatEvery(ms: number): void {
    clearTimeout(this.#beats)
    const next = (waitMs: number): void => {
      this.#beats = setTimeout(() => {
        next(ms * (0.9 + Math.random() * 0.2))
        this.session.heartbeat({ seq: 1 }).then(
          () => this.beats++,
          () => clearTimeout(this.#beats)
        )
      }, waitMs).unref()
    }
    if (ms > 0) next(ms * Math.random())
  }

  /** The session ended although nobody stopped this member. */
  onLost: (reason: string) => void = (reason) => {
    process.stderr.write(`the session of member ${this.number} ended: ${reason}\n`)
  }

  /**
   * Registers, and again whenever the session ends, with the pauses of the product in a network of so many. `onTry` is told of every
   * try: with nothing when it is registered, or with why it was not.
   */
  async keep(others: number, onTry: (error?: Error) => void): Promise<void> {
    const backoff = new Backoff({ initialMs: 1_000, maxMs: 60_000, multiplier: 2, others: () => others })
    this.onLost = () => {}
    while (!this.#stopped) {
      try {
        await this.register()
        onTry()
        backoff.reset()
        await this.session.closed
        // What is left of the connection would only answer that it is closed.
        this.#connection?.abort(new Error('the session ended'))
      } catch (error) {
        if (!this.#stopped) onTry(error instanceof Error ? error : new Error(String(error)))
      }
      this.#connection = undefined
      await pause(backoff.next())
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.beatEvery(0)
    this.#trust.clear()
    await this.host.stop()
  }
}
