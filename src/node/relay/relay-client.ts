import type { Connection, PeerId } from '@libp2p/interface'
import { isRelayed } from '../../address/circuit.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { Role } from '../../identity/role.ts'
import { closeConnection } from '../../protocols/engine/libraries/close-connection.ts'
import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import type { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import { isCountedApart } from '../../protocols/engine/waiting-bytes.ts'
import { hopId, reserveAt } from '../../protocols/relay/index.ts'
import { maxRelays } from '../../registry/objects/record.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import type { Running, Supervisor } from '../../runtime/supervisor.ts'
import { Throttle } from '../../runtime/throttle.ts'

/** The parts of a node that tell whether it needs relays, and which there are. */
export interface RelayUse {
  /** It is to be reached through relays now. */
  wantsRelays(): boolean
  /** Tells whether the policy lets members of this role relay. */
  mayRelay(role: Role): boolean
  /** Protocols that a connected peer speaks, as it has said. */
  protocolsOf(peerId: PeerId): Promise<readonly string[]>
  /** Own measurement, ms; undefined: none yet. */
  rttMs(peerId: string): number | undefined
  /** Others are to be told of other relays. */
  changed(): Promise<void>
}

export interface RelayClientInit {
  use: RelayUse
  trust: ConnectionTrust
  limits: ProtocolLimits
  clock: Clock
  logger: Logger
}

interface Held {
  readonly publicKey: Uint8Array
  readonly connection: Connection
  /** On the monotonic clock. */
  readonly renewAt: number
}

interface Candidate {
  readonly connection: Connection
  readonly publicKey: Uint8Array
  readonly rttMs: number
}

/** After an outage all members come back at once, and a look goes over all of them. */
const newsMs = 500
/** A relay that refused, or did not answer, is asked again after that. */
const restMs = 60_000
const mostResting = 256
/** Least time after which a reservation is renewed, whatever the relay says: its clock may be wrong. */
const leastMs = 60_000
/** Differences of less are noise. */
const noiseMs = 10

/**
 * Has this node reached through members that relay, where nobody can dial it: keeps a reservation at those that answer soonest, changes to
 * others that go on answering much sooner, and ends connections through relays to whoever is connected directly, too.
 */
export class RelayClient {
  readonly #init: RelayClientInit
  readonly #held = new Map<string, Held>()
  /** Until when a relay is not asked, by PeerId. */
  readonly #resting = new Map<string, number>()
  readonly #stops: (() => void)[] = []
  #looking: Running | undefined
  /** Relays that others were told of. */
  #told = ''
  #candidateCount = 0
  /** Looks in a row at which another relay was much better than one of these. */
  #betterLooks = 0
  #lastRefusal: string | undefined

  constructor(init: RelayClientInit) {
    this.#init = init
  }

  start(services: Supervisor): void {
    const { trust, limits } = this.#init
    const looking = services.run('relays', { everyMs: limits.relay.lookMs, round: (signal) => this.#look(signal) })
    this.#looking = looking
    const news = new Throttle(() => looking.wake(), newsMs)
    this.#stops.push(
      () => news.stop(),
      () => inBackground(looking.stop(), 'ending the look for relays'),
      trust.onGone((connection) => this.#gone(connection)),
      trust.onMutual((connection) => {
        if (!isRelayed(connection)) news.ask()
      })
    )
  }

  stop(): void {
    for (const stop of this.#stops) stop()
  }

  /** Something has changed by which relays are wanted, or are not. */
  look(): void {
    this.#looking?.wake()
  }

  isReservedAt(peerId: string): boolean {
    return this.#held.has(peerId)
  }

  /** Keys of the relays through which this node is reached, the best first. */
  get relays(): Uint8Array[] {
    return [...this.#held.values()].map(({ publicKey }) => publicKey)
  }

  /** Reason that nobody relays for this node, though it is to be reached through relays; undefined: somebody does, or need not. */
  get trouble(): string | undefined {
    if (this.#held.size > 0 || !this.#init.use.wantsRelays()) return undefined
    if (this.#candidateCount === 0) return 'no member is connected that relays and may by the policy of the network'
    return this.#lastRefusal ?? 'it has not asked yet'
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { use, limits } = this.#init
    const wanted = Math.min(limits.relay.wanted, maxRelays)
    this.#replace()
    const candidates = use.wantsRelays() ? await this.#candidates() : []
    this.#candidateCount = candidates.length
    const byPeer = new Map(candidates.map((each) => [peerIdText(each.publicKey), each]))
    for (const [peer, { connection }] of this.#held) {
      if (byPeer.get(peer)?.connection !== connection) this.#held.delete(peer)
    }
    for (const [peer, candidate] of byPeer) {
      const isRenewal = this.#held.has(peer)
      if (isRenewal ? this.#isFresh(peer) : this.#held.size >= wanted || this.#rests(peer)) continue
      await this.#reserve(peer, candidate, signal)
    }
    await this.#improve(candidates, signal)
    const held = [...this.#held.keys()].join(' ')
    if (held === this.#told) return
    await use.changed()
    this.#told = held
  }

  /** Takes another relay in the place of the slowest one, or of one that does not answer, when it has been much better for a while. */
  async #improve(candidates: readonly Candidate[], signal: AbortSignal): Promise<void> {
    const { wanted, betterLooks } = this.#init.limits.relay
    const [worst] = candidates.filter(({ publicKey }) => this.#held.has(peerIdText(publicKey))).slice(-1)
    const best = candidates.find(({ publicKey }) => {
      const peer = peerIdText(publicKey)
      return !this.#held.has(peer) && !this.#rests(peer)
    })
    const isFull = this.#held.size >= Math.min(wanted, maxRelays)
    const isBetter = isFull && worst !== undefined && best !== undefined && best.rttMs * 2 + noiseMs < worst.rttMs
    this.#betterLooks = isBetter ? this.#betterLooks + 1 : 0
    if (!isBetter || this.#betterLooks < betterLooks) return
    this.#betterLooks = 0
    const peer = peerIdText(best.publicKey)
    await this.#reserve(peer, best, signal)
    if (this.#held.has(peer)) this.#held.delete(peerIdText(worst.publicKey))
  }

  /** Members that relay and are connected, those that answer soonest first. */
  async #candidates(): Promise<Candidate[]> {
    const { trust, use } = this.#init
    const found = new Map<string, Candidate>()
    for (const { connection, member } of Array.from(trust.members())) {
      const peer = peerIdText(member.publicKey)
      const isHeld = this.#held.get(peer)?.connection === connection
      if (connection.status !== 'open' || isRelayed(connection) || !use.mayRelay(member.role)) continue
      if (found.has(peer) && !isHeld) continue
      if (!(await use.protocolsOf(connection.remotePeer)).includes(hopId)) continue
      const rttMs = use.rttMs(peer) ?? Number.POSITIVE_INFINITY
      found.set(peer, { connection, publicKey: member.publicKey, rttMs })
    }
    return [...found.values()].toSorted((a, b) => (a.rttMs === b.rttMs ? 0 : a.rttMs - b.rttMs))
  }

  async #reserve(peer: string, { connection, publicKey }: Candidate, signal: AbortSignal): Promise<void> {
    const { limits, clock, logger } = this.#init
    try {
      const givenMs = await reserveAt(connection, { limits, signal })
      const ms = Math.max(leastMs, Math.min(givenMs, limits.relay.reservationMs)) / 2
      if (connection.status !== 'open') return
      if (!this.#held.has(peer)) logger.info({ peer }, 'this node is reached through that member from now on')
      this.#held.set(peer, { publicKey, connection, renewAt: clock.monotonic() + ms })
    } catch (error) {
      signal.throwIfAborted()
      this.#held.delete(peer)
      this.#rest(peer)
      this.#lastRefusal = `${peer} does not: ${reasonOf(error)}`
      logger.debug({ peer, error: String(error) }, 'a member does not relay for this node; others are asked')
    }
  }

  #isFresh(peer: string): boolean {
    return (this.#held.get(peer)?.renewAt ?? 0) > this.#init.clock.monotonic()
  }

  #rests(peer: string): boolean {
    return (this.#resting.get(peer) ?? 0) > this.#init.clock.monotonic()
  }

  #rest(peer: string): void {
    this.#resting.delete(peer)
    this.#resting.set(peer, this.#init.clock.monotonic() + restMs)
    const [oldest] = this.#resting.keys()
    if (oldest !== undefined && this.#resting.size > mostResting) this.#resting.delete(oldest)
  }

  #gone(connection: Connection): void {
    const peer = connection.remotePeer.toString()
    if (this.#held.get(peer)?.connection === connection) this.#looking?.wake()
  }

  /** Closes them, but for those in use: a forward would be cut off. */
  #replace(): void {
    const members = [...this.#init.trust.members()]
    const relayed = members.filter(({ connection }) => isRelayed(connection))
    if (relayed.length === 0) return
    const direct = new Set(
      members
        .filter(({ connection }) => !isRelayed(connection))
        .map(({ connection }) => connection.remotePeer.toString())
    )
    for (const { connection } of relayed) {
      const isInUse = connection.streams.some(isCountedApart)
      if (isInUse || !direct.has(connection.remotePeer.toString())) continue
      inBackground(closeConnection(connection), 'closing a connection that a direct one replaces')
    }
  }
}
