import type { Connection } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import { isRelayed, parseCircuit } from '../../address/circuit.ts'
import { keyId } from '../../identity/key-id.ts'
import type { Member } from '../../registry/log/state/network-state.ts'
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

/** A relay that froze is given up after two looks and the time of a ping: less than 5 s. */
const everyMs = 500
/** Pauses between tries: the member may have to find another relay first. */
const pauses = { initialMs: 300, maxMs: 30_000, multiplier: 2 }
const mostTries = 12
/** Members that are looked for at a time. */
const mostReturning = 64

/**
 * Keeps connections through relays: asks relays that have gone quiet whether they are there, and connects through another one to whoever was
 * lost with one. The side that had opened the connection does so.
 */
export class CircuitKeeper {
  readonly #init: CircuitKeeperInit
  readonly #circuits = new Set<Connection>()
  /** Bytes that had come from each relay at the last look, by PeerId. */
  readonly #heard = new Map<string, number>()
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
      trust.onMember((connection) => {
        if (isRelayed(connection)) this.#circuits.add(connection)
      }),
      trust.onGone((connection, member) => {
        if (this.#circuits.delete(connection) && connection.direction === 'outbound') this.#lost(member)
      })
    )
  }

  stop(): void {
    for (const stop of this.#stops) stop()
    this.#over.abort()
  }

  /** Pings relays from which nothing has come since the last look. One that does not answer is given up, and its circuits end with it. */
  #look(): void {
    const { traffic, pingMonitor } = this.#init.network
    const relays = new Set([...this.#circuits].flatMap(({ remoteAddr }) => parseCircuit(remoteAddr)?.relay ?? []))
    for (const relay of this.#heard.keys()) if (!relays.has(relay)) this.#heard.delete(relay)
    for (const relay of relays) {
      const bytes = traffic.of(relay)?.bytesIn ?? 0
      const isQuiet = this.#heard.get(relay) === bytes
      this.#heard.set(relay, bytes)
      const connection = isQuiet ? this.#wayTo(relay) : undefined
      if (connection !== undefined) inBackground(pingMonitor?.doubt(connection), 'pinging a relay')
    }
  }

  #wayTo(relay: string): Connection | undefined {
    for (const { connection } of this.#init.network.trust.members())
      if (connection.remotePeer.toString() === relay && !isRelayed(connection)) return connection
    return undefined
  }

  #lost(member: Pick<Member, 'publicKey' | 'role'>): void {
    const id = keyId(member.publicKey)
    if (this.#returning.has(id) || this.#returning.size >= mostReturning) return
    this.#returning.add(id)
    inBackground(
      this.#return(member).finally(() => this.#returning.delete(id)),
      'connecting through another relay'
    )
  }

  async #return({ publicKey, role }: Pick<Member, 'publicKey' | 'role'>): Promise<void> {
    const { network, self, clock, logger } = this.#init
    const { signal } = this.#over
    const backoff = new Backoff({ ...pauses, clock })
    while (backoff.attempt < mostTries) {
      await sleep(backoff.next(), signal).catch(() => {})
      const { peers } = network
      if (signal.aborted || peers === undefined || !this.#isMissed(publicKey)) return
      const relays = relaysOf(network, publicKey, self)
      try {
        if (relays.length === 0) continue
        const { registry, trust, limits } = network
        await connectThrough({ registry, trust, limits, peers }, { publicKey, role }, relays, signal)
        return
      } catch (error) {
        logger.debug({ error: reasonOf(error) }, 'a member is not reached through a relay any more; it is tried again')
      }
    }
  }

  /** It is a member that has not left, and there is no connection to it. */
  #isMissed(publicKey: Uint8Array): boolean {
    const { registry, trust } = this.#init.network
    if (!registry.replica.isMember(publicKey) || registry.records.read(publicKey)?.left !== false) return false
    for (const { connection, member } of trust.members())
      if (connection.status === 'open' && equals(member.publicKey, publicKey)) return false
    return true
  }
}
