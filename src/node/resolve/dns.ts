import { lookupPins, narrowPins } from '../../dns/pins.ts'
import { lookupTnr, type TnrAnswer } from '../../dns/tnr.ts'
import { type Clock, momentOf } from '../../runtime/clock-and-logger.ts'
import type { Part } from '../../runtime/supervisor.ts'
import type { Config } from '../config/schema.ts'
import { type KnownCandidate, maxCandidates, type Resolver } from './resolver.ts'
import { serversToAsk } from './servers.ts'

/** The TTL is somebody else's number; an answer that helped nobody is not kept for days. */
const longestTtlSeconds = 3600

export interface DnsResolverInit {
  config: Config
  clock: Clock
  health: Part
  /** Looked up at each call, as an invite may name it. undefined: there is no domain to ask for. */
  domain: () => string | undefined
  /** A log is here. It says who belongs to the network, whichever keys the first contact was pinned to. */
  hasLog: () => boolean
}

/** The registries behind `tnr.<domain>`. No member has a record there. */
export class DnsResolver implements Resolver {
  readonly health: Part
  /** The last answer; undefined: not asked yet. */
  answer: TnrAnswer | undefined
  /** By `momentOf`. */
  checkedAt: number | undefined
  readonly #init: DnsResolverInit
  #freshUntil = Number.NEGATIVE_INFINITY
  /** PeerIds that a registry must have at the first contact; empty: any that proves the network. */
  #pins: readonly string[]

  constructor(init: DnsResolverInit) {
    this.#init = init
    this.health = init.health
    this.#pins = init.config.network.pins
  }

  /** An answer is asked for again only after its TTL. @throws Error when no name server gave one */
  async resolve(publicKey: Uint8Array | undefined, signal: AbortSignal): Promise<KnownCandidate[] | undefined> {
    const { config, clock, domain, hasLog } = this.#init
    const name = domain()
    if (publicKey !== undefined || name === undefined) return undefined
    if (clock.monotonic() >= this.#freshUntil) await this.#ask(name, signal)
    if (this.answer?.kind !== 'found') return []
    const pins = hasLog() ? [] : this.#pins
    return this.answer.addresses.slice(0, maxCandidates).map(({ address }) => ({
      multiaddr: `/ip6/${address}/tcp/${config.bootstrap.port}`,
      ...(pins.length === 0 ? {} : { peerIds: pins }),
      source: 'dns'
    }))
  }

  /** Asks what `tnr.<domain>` says now, for a registry that should be found there. Without an answer the last one stands. */
  async look(domain: string, signal: AbortSignal): Promise<void> {
    const answer = await lookupTnr(domain, this.#options(signal))
    if (answer.kind === 'found') this.#keep(answer)
  }

  async #ask(domain: string, signal: AbortSignal): Promise<void> {
    const { config, clock } = this.#init
    const options = this.#options(signal)
    const [answer, named] = await Promise.all([
      lookupTnr(domain, options),
      // Without pins of our own there is nothing to narrow.
      config.network.pins.length === 0 ? undefined : lookupPins(domain, options)
    ])
    if (named?.kind === 'found') this.#pins = narrowPins(config.network.pins, named.peerIds)
    this.#keep(answer)
    if (answer.kind === 'found') {
      const ttlSeconds = Math.min(longestTtlSeconds, ...answer.addresses.map((address) => address.ttlSeconds))
      this.#freshUntil = clock.monotonic() + ttlSeconds * 1000
    }
    // A name server that says that there is nothing is at work.
    else if (answer.kind !== 'none' && answer.kind !== 'no-domain') throw new Error(answer.message)
  }

  #keep(answer: TnrAnswer): void {
    this.answer = answer
    this.checkedAt = momentOf(this.#init.clock)
  }

  #options(signal: AbortSignal) {
    const { config } = this.#init
    const { dnsTimeoutMs: timeoutMs } = config.bootstrap
    const servers = serversToAsk(config)
    return { servers, timeoutMs, signal, allowLoopback: config.announce.allow.includes('loopback') }
  }
}
