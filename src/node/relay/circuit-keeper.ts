import type { Connection } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import { isRelayed, parseCircuit } from '../../address/circuit.ts'
import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import { closeConnection } from '../../protocols/engine/libraries/close-connection.ts'
import type { TrustedMember } from '../../protocols/engine/trust/connection-trust.ts'
import { isCountedApart } from '../../protocols/engine/waiting-bytes.ts'
import { inBackground } from '../../runtime/background.ts'
import { Backoff } from '../../runtime/backoff.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { sleep } from '../../runtime/sleep.ts'
import type { Supervisor } from '../../runtime/supervisor.ts'
import type { NetworkParts } from '../network-parts.ts'
import { connectThrough, relaysOf } from './through-relay.ts'

export interface CircuitKeeperInit {
  readonly network: Pick<NetworkParts, 'registry' | 'trust' | 'limits' | 'traffic' | 'peers' | 'pingMonitor'>
  readonly self: Uint8Array
  readonly clock: Clock
  readonly logger: Logger
}

/** A connection, as the last look has seen it. */
interface Watched {
  /** Changes when anything has come. */
  readonly mark: number
  /** Looks since anything came. They are counted, not timed: when this process stood still, nobody was silent. */
  readonly quiet: number
}

const everyMs = 500
/** Looks after which a circuit itself is asked: there may be many. A relay may answer and carry nothing. */
const circuitLooks = 10
/** Pauses between tries: the member may have to find another relay first. */
const pauses = { initialMs: 300, maxMs: 30_000, multiplier: 2 }
/** Time for which the side that was connected to waits for the other one, which may not have noticed. */
const politeMs = 2_000
const mostTries = 12
/** Members that are looked for at a time. */
const mostReturning = 64

/**
 * Keeps connections through relays: asks relays that have gone quiet whether they are there, and connects through another one to whoever was
 * lost with one, or is behind one that stays quiet. A slow relay is gone around and not cut off: what is under way on it goes on.
 */
export class CircuitKeeper {
  readonly #init: CircuitKeeperInit
  /** The member at the other end of each, in the order in which they came. */
  readonly #circuits = new Map<Connection, TrustedMember>()
  /** Circuits that this node has opened, and connections to relays of circuits. */
  #watched: ReadonlyMap<Connection, Watched> = new Map()
  /** Connections to each relay, by its PeerId: a circuit does not say on which of them it is. */
  #ways: ReadonlyMap<string, readonly Connection[]> = new Map()
  /** By key id. */
  readonly #returning = new Set<string>()
  readonly #stops: (() => void)[] = []
  readonly #over = new AbortController()

  constructor(init: CircuitKeeperInit) {
    this.#init = init
  }

  start(services: Supervisor): void {
    const { trust } = this.#init.network
    const looking = services.run('circuits', { everyMs, round: () => this.#look() })
    this.#stops.push(
      () => inBackground(looking.stop(), 'ending the look at circuits'),
      trust.onMember((connection, member) => {
        if (isRelayed(connection)) this.#circuits.set(connection, member)
      }),
      trust.onGone((connection, member) => {
        if (this.#circuits.delete(connection) && connection.direction === 'outbound') this.#missed(connection, member)
      })
    )
  }

  stop(): void {
    for (const stop of this.#stops) stop()
    this.#over.abort()
  }

  #look(): void {
    const { silentMs } = this.#init.network.limits.relay
    // A look goes over all connections, of which a registry has thousands.
    if (this.#circuits.size === 0 && this.#watched.size === 0) return
    this.#watch()
    for (const [connection, { quiet }] of this.#watched) {
      const isCircuit = isRelayed(connection)
      if (!isCircuit && quiet * everyMs >= silentMs) this.#init.network.pingMonitor?.giveUp(connection)
      else if (quiet > (isCircuit ? circuitLooks : 0))
        inBackground(this.#init.network.pingMonitor?.ask(connection), 'pinging over or at a relay')
    }
    for (const [circuit, member] of this.#circuits)
      if (this.#isMute(circuit)) this.#missed(circuit, member, circuit.direction === 'outbound' ? 0 : politeMs)
    this.#closeSpare()
  }

  #watch(): void {
    const { traffic, pingMonitor, trust } = this.#init.network
    const relays = new Set([...this.#circuits.keys()].map(relayOf))
    const direct = [...trust.members()].map(({ connection }) => connection).filter((each) => !isRelayed(each))
    this.#ways = Map.groupBy(
      direct.filter(({ remotePeer }) => relays.has(remotePeer.toString())),
      ({ remotePeer }) => remotePeer.toString()
    )
    const own = this.#own
    const connections = [...own.values(), ...this.#ways.values()]
    const watched = connections.flatMap((ofPeer) =>
      ofPeer.map((connection): [Connection, Watched] => {
        // Bytes are counted by peer. An answer may be late on a connection that is full of something else.
        const bytes = traffic.of(connection.remotePeer.toString())?.bytesIn
        const mark = (ofPeer.length === 1 ? bytes : pingMonitor?.answeredAt(connection)) ?? 0
        const last = this.#watched.get(connection)
        return [connection, { mark, quiet: last?.mark === mark ? last.quiet + 1 : 0 }]
      })
    )
    this.#watched = new Map(watched)
  }

  /** Circuits that this node has opened, by PeerId of the other end. */
  get #own(): ReadonlyMap<string, readonly Connection[]> {
    const own = [...this.#circuits.keys()].filter(({ direction }) => direction === 'outbound')
    return Map.groupBy(own, ({ remotePeer }) => remotePeer.toString())
  }

  /** Nothing comes from its relay, or from the other end of it. */
  #isMute(circuit: Connection): boolean {
    return this.#isMuteRelay(relayOf(circuit)) || this.#isQuiet(circuit, circuitLooks)
  }

  #isMuteRelay(relay: string | undefined): boolean {
    return this.#ways.get(relay ?? '')?.some((way) => this.#isQuiet(way, 0)) === true
  }

  /** For the time of an answer, and some looks before it. */
  #isQuiet(connection: Connection, looks: number): boolean {
    const { quiet = 0 } = this.#watched.get(connection) ?? {}
    return (quiet - looks) * everyMs >= this.#init.network.limits.relay.muteMs
  }

  #missed(circuit: Connection, member: TrustedMember, waitMs?: number): void {
    const id = keyId(member.publicKey)
    if (this.#returning.has(id) || this.#returning.size >= mostReturning || !this.#isMissed(member.publicKey)) return
    this.#returning.add(id)
    inBackground(
      this.#return(member, relayOf(circuit), waitMs).finally(() => this.#returning.delete(id)),
      'connecting through another relay'
    )
  }

  /** `before`: the relay through which it was lost, to be tried last. */
  async #return(
    { publicKey, role }: TrustedMember,
    before: string | undefined,
    waitMs: number | undefined
  ): Promise<void> {
    const { network, self, clock, logger } = this.#init
    const { signal } = this.#over
    const backoff = new Backoff({ ...pauses, clock })
    for (let pause = waitMs ?? backoff.next(); backoff.attempt < mostTries; pause = backoff.next()) {
      await sleep(pause, signal).catch(() => {})
      const { peers } = network
      if (signal.aborted || peers === undefined || !this.#isMissed(publicKey)) return
      const relays = relaysOf(network, publicKey, self)
        .filter((relay) => !this.#isMuteRelay(peerIdText(relay)))
        .toSorted((a, b) => Number(peerIdText(a) === before) - Number(peerIdText(b) === before))
      try {
        if (relays.length === 0) continue
        const { registry, trust, limits } = network
        const parts = { registry, trust, limits, peers }
        await connectThrough(parts, { publicKey, role }, { relays, beside: true, signal })
        return
      } catch (error) {
        logger.debug({ error: reasonOf(error) }, 'a member is not reached through a relay any more; it is tried again')
      }
    }
  }

  /** It is a member that has not left, and no connection to it carries anything. */
  #isMissed(publicKey: Uint8Array): boolean {
    const { registry, trust } = this.#init.network
    if (!registry.replica.isMember(publicKey) || registry.records.read(publicKey)?.left !== false) return false
    for (const { connection, member } of trust.members()) {
      const isThere = connection.status === 'open' && !(isRelayed(connection) && this.#isMute(connection))
      if (isThere && equals(member.publicKey, publicKey)) return false
    }
    return true
  }

  /** Closes circuits that this node has opened beside others, but for those in use. The other side may have chosen another one of its own. */
  #closeSpare(): void {
    for (const circuits of this.#own.values()) {
      const kept = circuits.findLast((circuit) => !this.#isMute(circuit)) ?? circuits.at(-1)
      for (const circuit of circuits)
        if (circuit !== kept && !circuit.streams.some(isCountedApart))
          inBackground(closeConnection(circuit), 'closing a circuit that another one replaces')
    }
  }
}

/** PeerId of the relay through which it goes; undefined: through none. */
const relayOf = ({ remoteAddr }: Connection): string | undefined => parseCircuit(remoteAddr)?.relay
