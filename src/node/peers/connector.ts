import type { Connection, Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { isRelayed } from '../../address/circuit.ts'
import { parseAddr } from '../../address/multiaddr.ts'
import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import { isRegistryRole, type Role } from '../../identity/role.ts'
import { Gcra, type Rate } from '../../protocols/engine/rate-limiter.ts'
import type { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import type { Hello } from '../../protocols/hello/index.ts'
import { within } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { Backoff, type BackoffInit } from '../../runtime/backoff.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import type { Running, Supervisor } from '../../runtime/supervisor.ts'
import { waitForProof } from '../bootstrap/proof-wait.ts'
import { backoffOf } from '../config/backoff.ts'
import type { Config } from '../config/schema.ts'
import { dialText } from '../errors.ts'

/** A member that may be dialled. */
export interface PeerTarget {
  readonly publicKey: Uint8Array
  /** `/ip6/…/tcp/…`, the best first. */
  readonly addrs: readonly string[]
  /** Registries are wanted before others. */
  readonly isRegistry: boolean
  /** The one of `addrs` that answered with this key before. */
  readonly answered?: string | undefined
}

/** Members that may be dialled, and what became of it. */
export interface AddressBook {
  /** Registries, and with `more` also other members, with an address that are up or may be, in no order. */
  targets(more: boolean): PeerTarget[]
  /** Addresses beyond those of the target, none of which answers. */
  findMore(target: PeerTarget, signal: AbortSignal): Promise<readonly string[]>
  connected(publicKey: Uint8Array, address: string): void
  failed(publicKey: Uint8Array, error: string): void
}

export interface ConnectorInit {
  libp2p: Libp2p
  hello: Hello
  trust: ConnectionTrust
  self: Uint8Array
  /** Looked at anew in each round, as a reload changes it. */
  config: {
    readonly role: Role
    readonly limits: Pick<Config['limits'], 'peersWanted' | 'peersMax'>
    readonly bootstrap: Pick<Config['bootstrap'], 'dialTimeoutMs'>
    readonly replication: Config['replication']
  }
  book: AddressBook
  clock: Clock
  logger: Logger
}

interface Attempts {
  readonly backoff: Backoff
  notBefore: number
}

/** Connections to registries beyond these count as those to other members. Registries keep one to every other. */
const registriesWanted = 3
/** A new answer may name many: no more than these are dialled at a time. */
const dialsAtATime = 5
const lookMs = 2000
/** Time in which a burst gathers, to be looked at together. */
const soonMs = 20
/** A look costs some ms in a large network, and news never end there. */
const pauseMs = 200
/**
 * Dials to one host at addresses that nobody's key has answered at, whoever's records name them: it may have nothing to do with the network,
 * and a record costs its writer nothing.
 */
const unproven: Rate = { count: 32, perMs: 60_000 }
/** Members whose failed dials are remembered; the one that failed first is forgotten beyond it. */
const maxAttempts = 1024
/** Time for which the one with the higher key waits for the other to dial, when two learn of each other at the same moment. */
const politeMs = 1500

/** Keeps connections to a bounded number of members, registries first, and comes back to those that were lost, for ever. */
export class Connector {
  readonly #init: ConnectorInit
  readonly #attempts = new Map<string, Attempts>()
  /** By IPv6 address. */
  readonly #unproven: Gcra
  readonly #over = new AbortController()
  readonly #dialling = new Set<string>()
  #looking: Running | undefined
  #soon: NodeJS.Timeout | undefined
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(init: ConnectorInit) {
    this.#init = init
    this.#unproven = new Gcra(unproven, { clock: init.clock })
  }

  start(services: Supervisor): void {
    this.#looking = services.run('peers', { everyMs: lookMs, round: () => this.#look() })
    this.look()
  }

  stop(): void {
    inBackground(this.#looking?.stop(), 'ending the look for peers')
    clearTimeout(this.#soon)
    this.#over.abort(new Error('the node stops'))
  }

  /** Something new is known; looks soon, once for many calls. */
  look(): void {
    if (this.#over.signal.aborted) return
    const dueMs = Math.max(soonMs, this.#lookedAt + pauseMs - performance.now())
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined
      this.#look()
    }, dueMs).unref()
  }

  /** Dials one member and waits for its proof. `beside`: also where there is a connection to it, which may carry nothing. */
  async connect(target: PeerTarget, signal: AbortSignal, { beside = false } = {}): Promise<Connection> {
    const { libp2p, hello, trust, book } = this.#init
    const peerId = peerIdText(target.publicKey)
    try {
      const connection = await libp2p.dial(
        target.addrs.map((address) => multiaddr(`${address}/p2p/${peerId}`)),
        { signal, force: beside }
      )
      await waitForProof(hello, trust, connection, signal)
      if (!isRelayed(connection)) book.connected(target.publicKey, bareAddress(connection))
      return connection
    } catch (error) {
      book.failed(target.publicKey, dialText(error))
      throw error
    }
  }

  /** When a member that was not reached is dialled again; undefined: it was reached, or never dialled. */
  retryOf(publicKey: Uint8Array): { failures: number; waitMs: number } | undefined {
    const attempts = this.#attempts.get(peerIdText(publicKey))
    if (attempts === undefined || attempts.backoff.attempt === 0) return undefined
    const waitMs = Math.max(0, attempts.notBefore - this.#init.clock.monotonic())
    return { failures: attempts.backoff.attempt, waitMs }
  }

  #look(): void {
    const { trust, book, config, self } = this.#init
    const { peersWanted: wanted, peersMax: most } = config.limits
    this.#lookedAt = performance.now()
    const direct = [...trust.members()].filter(({ connection }) => !isRelayed(connection))
    const connected = new Map(direct.map(({ member }) => [keyId(member.publicKey), member.role]))
    let open = connected.size + this.#dialling.size
    let registries = [...connected.values()].filter(isRegistryRole).length
    const missing = book.targets(open < wanted).filter(({ publicKey }) => !connected.has(keyId(publicKey)))
    this.#forgetOldest()
    shuffle(missing)
    missing.sort((a, b) => Number(b.isRegistry) - Number(a.isRegistry))
    for (const target of missing) {
      if (this.#dialling.size >= dialsAtATime) return
      const first = target.isRegistry && (isRegistryRole(config.role) || registries < registriesWanted)
      if (open >= most) return
      if ((open >= wanted && !first) || !this.#isDue(target, self)) continue
      const addrs = this.#dialable(target)
      if (addrs.length === 0) continue
      open++
      if (target.isRegistry) registries++
      inBackground(this.#try({ ...target, addrs }), 'dialling a member')
    }
  }

  get #backoff(): BackoffInit {
    return backoffOf(this.#init.config)
  }

  #isDue(target: PeerTarget, self: Uint8Array): boolean {
    const id = peerIdText(target.publicKey)
    if (this.#dialling.has(id)) return false
    const now = this.#init.clock.monotonic()
    let attempts = this.#attempts.get(id)
    if (attempts === undefined) {
      const polite = Buffer.compare(self, target.publicKey) > 0
      attempts = {
        backoff: new Backoff({ clock: this.#init.clock, ...this.#backoff }),
        notBefore: polite ? now + politeMs : now
      }
      this.#attempts.set(id, attempts)
    }
    return now >= attempts.notBefore
  }

  /** The root has named the registries; of others an address counts as a guess until its owner has answered there. */
  #dialable({ addrs, answered, isRegistry }: PeerTarget): string[] {
    const isAllowed = (addr: string): boolean => this.#unproven.take(parseAddr(addr)?.ip ?? addr) === 0
    return addrs.filter((addr) => isRegistry || addr === answered || isAllowed(addr))
  }

  async #try(target: PeerTarget): Promise<void> {
    const id = peerIdText(target.publicKey)
    const attempts = this.#attempts.get(id)
    this.#dialling.add(id)
    const signal = within(this.#init.config.bootstrap.dialTimeoutMs * 2, this.#over.signal)
    try {
      await this.connect(target, signal)
      attempts?.backoff.reset()
      if (attempts !== undefined) attempts.notBefore = this.#init.clock.monotonic() + this.#backoff.initialMs
    } catch (error) {
      if (!this.#over.signal.aborted && attempts !== undefined) await this.#failed(target, attempts, error)
    } finally {
      this.#dialling.delete(id)
    }
  }

  async #failed(target: PeerTarget, attempts: Attempts, error: unknown): Promise<void> {
    const { clock, logger, book } = this.#init
    const waitMs = this.#backoff.initialMs + attempts.backoff.next()
    attempts.notBefore = clock.monotonic() + waitMs
    const peer = peerIdText(target.publicKey)
    const fields = {
      peer,
      error: String(error),
      attempt: attempts.backoff.attempt,
      retry_after_seconds: Math.round(waitMs / 1000)
    }
    logger.debug(fields, 'a member could not be reached at its known addresses; it is tried again later')
    if (attempts.backoff.attempt !== 2) return
    const signal = within(this.#init.config.bootstrap.dialTimeoutMs, this.#over.signal)
    const found = await book.findMore(target, signal).catch(() => [])
    const fresh = this.#dialable({ ...target, addrs: found })
    if (fresh.length > 0) await this.connect({ ...target, addrs: fresh }, signal).catch(() => {})
  }

  #forgetOldest(): void {
    for (const id of this.#attempts.keys()) {
      if (this.#attempts.size <= maxAttempts) return
      if (!this.#dialling.has(id)) this.#attempts.delete(id)
    }
  }
}

/** `/ip6/…/tcp/…` of the other side, without its PeerId. */
export const bareAddress = (connection: Connection): string =>
  connection.remoteAddr.toString().replace(/\/p2p\/.*$/, '')

function shuffle(items: unknown[]): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    const [a, b] = [items[last], items[other]]
    if (a === undefined || b === undefined) continue
    items[last] = b
    items[other] = a
  }
}
