import { lookupPins, narrowPins } from '../../dns/pins.ts'
import { lookupTnr, type TnrAnswer } from '../../dns/tnr.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { Invite } from '../../registry/objects/invite.ts'
import { type Clock, momentOf } from '../../runtime/clock-and-logger.ts'
import type { Part } from '../../runtime/supervisor.ts'
import type { PeerSource } from '../api/views.ts'
import type { Config } from '../config/schema.ts'
import type { Candidate } from './dial-race.ts'

/** Address at which a registry or member may be reached, and how that was learned. */
export interface KnownCandidate extends Candidate {
  readonly source: PeerSource
}

/** A race of more would only be a flood: the best of each source come first. */
const maxCandidates = 32
/** Greatest number of these from the last run, so that a cache that has died leaves room for what the operator wrote. */
const maxCached = 20
/** An operator has few to name. */
const maxNamed = 8
/** The TTL is somebody else's number; an answer that helped nobody is not kept for days. */
const longestTtlSeconds = 3600

/** The answer to `tnr.<domain>`, as status shows it. */
export interface DnsView {
  answer: TnrAnswer | undefined
  /** By `momentOf`. */
  checkedAt: number | undefined
}

export interface CandidatesInit {
  config: Config
  clock: Clock
  /** Told how DNS is. */
  part?: Part
  /** Looked up at each call: an invite may be handed over while the process runs. */
  invite: () => Invite | undefined
  /**
   * From the database: registries and members with addresses, best first. undefined: there is no log yet, which says who belongs to the
   * network, whichever keys the first contact was pinned to.
   */
  cached: () => KnownCandidate[] | undefined
}

/**
 * Whom to dial, in the order of trust in the address: what the last run knew, the invite, what the operator wrote. DNS is
 * asked only by `fromDns`, when all of these have failed.
 */
export class Candidates {
  readonly #init: CandidatesInit
  readonly dns: DnsView = { answer: undefined, checkedAt: undefined }
  #answered: string | undefined
  #freshUntil = Number.NEGATIVE_INFINITY
  /** Addresses that an operator has named while the process ran, the last one first. */
  #named: string[] = []
  /** PeerIds that a registry behind `tnr` must have at the first contact; empty: any that proves the network. */
  #pins: readonly string[]

  constructor(init: CandidatesInit) {
    this.#init = init
    this.#pins = init.config.network.pins
  }

  known(): KnownCandidate[] {
    const cached = this.#init.cached() ?? []
    const named = this.#named.map((multiaddr) => ({ multiaddr, source: 'config' as const }))
    const all = [...named, ...cached.slice(0, maxCached), ...this.#invited(), ...this.#configured()]
    const seen = new Set<string>()
    const unique = all.filter(({ multiaddr }) => !seen.has(multiaddr) && seen.add(multiaddr))
    const isFirst = ({ multiaddr }: KnownCandidate): boolean => `${multiaddr}/`.startsWith(`${this.#answered}/`)
    return unique.toSorted((a, b) => Number(isFirst(b)) - Number(isFirst(a))).slice(0, maxCandidates)
  }

  /** Tries this address before all others from now on. */
  name(multiaddr: string): void {
    this.#named = [multiaddr, ...this.#named.filter((each) => each !== multiaddr)].slice(0, maxNamed)
  }

  /** This address won a race: it is the first one from now on. */
  answered(address: string): void {
    this.#answered = address
  }

  #invited(): KnownCandidate[] {
    const registries = this.#init.invite()?.registries ?? []
    return registries.flatMap(({ publicKey, addrs }) =>
      addrs.map((multiaddr) => ({ multiaddr, peerIds: [peerIdText(publicKey)], source: 'invite' as const }))
    )
  }

  #configured(): KnownCandidate[] {
    const { rootAddress, registries, peers } = this.#init.config.bootstrap
    const written = [...(rootAddress === undefined ? [] : [rootAddress]), ...registries, ...peers]
    return written.map((multiaddr) => ({ multiaddr, source: 'config' as const }))
  }

  /** The addresses of `tnr.<domain>`. An answer is asked for again only after its TTL. Never throws: no answer is an empty one. */
  async fromDns(signal: AbortSignal): Promise<KnownCandidate[]> {
    const { config, clock } = this.#init
    const domain = config.domain ?? this.#init.invite()?.domain
    if (domain === undefined) return []
    if (clock.monotonic() >= this.#freshUntil) await this.#ask(domain, signal)
    const { answer } = this.dns
    if (answer?.kind !== 'found') return []
    const pins = this.#init.cached() === undefined ? this.#pins : []
    return answer.addresses.slice(0, maxCandidates).map(({ address }) => ({
      multiaddr: `/ip6/${address}/tcp/${config.bootstrap.port}`,
      ...(pins.length === 0 ? {} : { peerIds: pins }),
      source: 'dns' as const
    }))
  }

  /** Asks what `tnr.<domain>` says now, for a registry that should be found there. Without an answer the last one stands. */
  async look(domain: string, signal: AbortSignal): Promise<void> {
    const { config, clock } = this.#init
    const { dnsServers: servers, dnsTimeoutMs: timeoutMs } = config.bootstrap
    const allowLoopback = config.announce.allow.includes('loopback')
    const answer = await lookupTnr(domain, { servers, timeoutMs, signal, allowLoopback })
    if (answer.kind !== 'found') return
    this.dns.answer = answer
    this.dns.checkedAt = momentOf(clock)
  }

  async #ask(domain: string, signal: AbortSignal): Promise<void> {
    const { config, clock } = this.#init
    const options = { servers: config.bootstrap.dnsServers, timeoutMs: config.bootstrap.dnsTimeoutMs, signal }
    const allowLoopback = config.announce.allow.includes('loopback')
    const [answer, named] = await Promise.all([
      lookupTnr(domain, { ...options, allowLoopback }),
      // Without pins of our own there is nothing to narrow.
      config.network.pins.length === 0 ? undefined : lookupPins(domain, options)
    ])
    if (named?.kind === 'found') this.#pins = narrowPins(config.network.pins, named.peerIds)
    this.dns.answer = answer
    this.dns.checkedAt = momentOf(clock)
    this.#init.part?.report(failureIn(answer))
    if (answer.kind !== 'found') return
    const ttlSeconds = Math.min(longestTtlSeconds, ...answer.addresses.map((address) => address.ttlSeconds))
    this.#freshUntil = clock.monotonic() + ttlSeconds * 1000
  }
}

/** A name server that says that there is nothing is at work. */
const failureIn = (answer: TnrAnswer): Error | undefined =>
  answer.kind === 'found' || answer.kind === 'none' || answer.kind === 'no-domain'
    ? undefined
    : new Error(answer.message)
