import type { MultiaddrConnection } from '@libp2p/interface'
import { parseAddr } from '../../address/multiaddr.ts'
import { prefix64, prefixMatcher, prefixText } from '../../address/prefix.ts'
import type { Culprits } from '../../protocols/engine/culprits.ts'
import { Gcra } from '../../protocols/engine/rate-limiter.ts'
import { InboundLimitError } from '../errors.ts'
import { HandshakeTurns } from './handshake-turns.ts'

/** Limits of what a remote can use up before it has proved anything. */
export interface InboundLimits {
  /** Inbound connections of all kinds, loopback and exempt prefixes too: what the descriptors of this process allow. */
  readonly sockets?: number
  /** Open inbound connections, without loopback and exempt prefixes. */
  readonly connections: number
  /** Handshakes at a time, likewise. */
  readonly unfinished: number
  readonly unfinishedPerPrefix: number
  readonly unfinishedPerMemberPrefix: number
  /** Open connections of a /64 without a known member. */
  readonly openPerPrefix: number
  /** Open connections of one key, whatever it is. */
  readonly openPerPeer: number
  readonly exemptPrefixes: readonly string[]
  /** A handshake from a /64 without a known member is cut after it. */
  readonly upgradeTimeoutMs: number
}

export interface InboundInit {
  readonly limits: InboundLimits
  /** Tells whether a member proved itself in that /64 (see prefix64) in the last 24 h. */
  readonly knownPrefix?: (prefix: string) => boolean
  /** Limits loopback too: for trying the limits on one machine. */
  readonly countLoopback?: boolean
  readonly culprits?: Culprits
}

export interface InboundCounts {
  readonly unfinished: number
  readonly open: number
  readonly refused: number
}

/** The reason why a connection is refused, and the limit that says so. */
interface Refusal {
  readonly limit: string
  readonly why: string
}

interface Slot {
  readonly prefix: string
  readonly known: boolean
  readonly timer: NodeJS.Timeout | undefined
  finished: boolean
}

/** Strangers leave so much of the handshakes to members, so that many prefixes together cannot lock members out. */
const strangersShare = 0.5
/** Likewise of the connections: an eclipse by strangers leaves these. */
const connectionsShare = 0.9
/** Both sides may dial at the same moment. */
const neededByPeer = 2
/** Connections that a /64 begins: of one without a known member, and of one where a thousand members may come back after an outage. */
const begins = { stranger: { count: 128, perMs: 10_000 }, known: { count: 2_000, perMs: 10_000 } }

/**
 * Counts inbound connections per /64 from the first packet on, before Noise costs anything. A slot ends with its
 * connection, whatever the reason, so nothing can leak.
 */
export class Inbound {
  readonly #init: InboundInit
  readonly #exempt: (address: string) => boolean
  readonly #slots = new Map<MultiaddrConnection, Slot>()
  /** Only prefixes that hold a slot: bounded by the slots. */
  readonly #unfinishedOf = new Map<string, number>()
  readonly #openOf = new Map<string, number>()
  /** In the order of their coming; only keys that are connected. */
  readonly #ofPeer = new Map<string, Set<MultiaddrConnection>>()
  /** Handshakes, oldest first, by their /48: of prefixes without a known member, and of those with one. */
  readonly #strangers = new Map<string, Set<MultiaddrConnection>>()
  readonly #known = new Map<string, Set<MultiaddrConnection>>()
  readonly #begun = { stranger: new Gcra(begins.stranger), known: new Gcra(begins.known) }
  readonly #turns: HandshakeTurns
  #sockets = 0
  #unfinished = 0
  #open = 0
  #refused = 0

  constructor(init: InboundInit) {
    this.#init = init
    this.#turns = new HandshakeTurns(init.culprits)
    this.#exempt = prefixMatcher([...(init.countLoopback ? [] : ['::1/128']), ...init.limits.exemptPrefixes])
  }

  get counts(): InboundCounts {
    return { unfinished: this.#unfinished, open: this.#open, refused: this.#refused }
  }

  /** undefined: go on with the handshake. Otherwise why not. */
  refuse(connection: MultiaddrConnection): string | undefined {
    const address = parseAddr(connection.remoteAddr)?.ip
    const prefix = address === undefined ? undefined : prefix64(address)
    if (address === undefined || prefix === undefined) return 'it is no plain IPv6 address'
    const isExempt = this.#exempt(address)
    const known = this.#init.knownPrefix?.(prefix) === true
    const refusal = this.#overSockets() ?? (isExempt ? undefined : this.#overLimit(prefix, known))
    if (refusal !== undefined) {
      this.#refused++
      this.#init.culprits?.exceeded(refusal.limit, { address: netOf(prefix) })
      return refusal.why
    }
    this.#sockets++
    connection.addEventListener('close', () => this.#sockets--, { once: true })
    if (!isExempt) this.#hold(connection, prefix, known)
    return undefined
  }

  /** Calls `go` when the handshake of a connection that was let in may be calculated. */
  wait(connection: MultiaddrConnection, go: () => void): void {
    const slot = this.#slots.get(connection)
    if (slot === undefined || slot.known) go()
    else this.#turns.wait(slot.prefix, connection, go)
  }

  /** The handshake is over and was good; `peerId` as text. */
  finished(connection: MultiaddrConnection, peerId: string): void {
    this.#holdOfPeer(connection, peerId)
    const slot = this.#slots.get(connection)
    if (slot === undefined || slot.finished) return
    clearTimeout(slot.timer)
    slot.finished = true
    this.#endHandshake(connection, slot)
    this.#open++
    count(this.#openOf, slot.prefix, 1)
  }

  /**
   * The oldest gives way: of a peer that comes again and again the newest works, and the others may be dead. Nobody but the owner of the key
   * gets here, so nobody can push another one's connections out.
   */
  #holdOfPeer(connection: MultiaddrConnection, peerId: string): void {
    const { openPerPeer } = this.#init.limits
    const held = this.#ofPeer.get(peerId) ?? new Set()
    this.#ofPeer.set(peerId, held)
    held.add(connection)
    connection.addEventListener('close', () => {
      held.delete(connection)
      if (held.size === 0) this.#ofPeer.delete(peerId)
    })
    const [oldest] = held
    if (held.size > openPerPeer) {
      this.#init.culprits?.exceeded('limits.openPerPeer', { peer: peerId })
      oldest?.abort(new InboundLimitError(`its peer has ${openPerPeer} newer connections`))
    }
  }

  #overSockets(): Refusal | undefined {
    const { sockets = Number.POSITIVE_INFINITY } = this.#init.limits
    if (this.#sockets < sockets) return undefined
    return { limit: 'limits.sockets', why: `${sockets} connections are open, which is all that the descriptors allow` }
  }

  #overLimit(prefix: string, known: boolean): Refusal | undefined {
    const { limits } = this.#init
    const most = known ? limits.connections : Math.floor(limits.connections * connectionsShare)
    if (this.#open + this.#unfinished >= most && !this.#cutCrowd())
      return { limit: 'limits.connections', why: `${most} connections are open` }
    if (this.#begun[known ? 'known' : 'stranger'].take(prefix) > 0) {
      return { limit: 'limits.begun', why: 'its /64 begins connections without end' }
    }
    return this.#overPrefix(prefix, known) ?? this.#overHandshakes(known)
  }

  #overPrefix(prefix: string, known: boolean): Refusal | undefined {
    const { limits } = this.#init
    const name = known ? 'unfinishedPerMemberPrefix' : 'unfinishedPerPrefix'
    // Neighbours of a member that holds them all still get in.
    const isFull = (this.#unfinishedOf.get(prefix) ?? 0) >= limits[name] && !(known && this.#cutOldestOf(prefix))
    if (isFull) return { limit: `limits.${name}`, why: `${limits[name]} handshakes of its /64 are going on` }
    if (known || (this.#openOf.get(prefix) ?? 0) < limits.openPerPrefix) return undefined
    const why = `${limits.openPerPrefix} connections of its /64 are open and no member is known there`
    return { limit: 'limits.openPerPrefix', why }
  }

  #overHandshakes(known: boolean): Refusal | undefined {
    const { unfinished } = this.#init.limits
    const all = known ? unfinished : Math.ceil(unfinished * strangersShare)
    if (this.#unfinished < all || this.#cutOldest(this.#strangers) || (known && this.#cutOldest(this.#known))) {
      return undefined
    }
    return { limit: 'limits.unfinished', why: `${all} handshakes are going on` }
  }

  /** The oldest handshake of the /48 that has most of them gives way: an honest one takes milliseconds, a silent one all the time it is given. */
  #cutOldest(handshakes: ReadonlyMap<string, ReadonlySet<MultiaddrConnection>>): boolean {
    let most: ReadonlySet<MultiaddrConnection> = new Set()
    for (const each of handshakes.values()) if (each.size > most.size) most = each
    const [oldest] = most
    // Where each /48 has one, nobody is to blame more than another: the flood is of all of them.
    return this.#cut(oldest, most.size > 1 ? 64 : 0)
  }

  /** The key that has most connections has one less, where that is more than an honest one needs. */
  #cutCrowd(): boolean {
    let crowd: MultiaddrConnection[] = []
    let peer = ''
    for (const [each, held] of this.#ofPeer) {
      if (held.size <= Math.max(neededByPeer, crowd.length)) continue
      crowd = [...held].filter((connection) => this.#slots.has(connection))
      peer = each
    }
    const [oldest] = crowd
    if (oldest === undefined || crowd.length <= neededByPeer) return false
    this.#init.culprits?.exceeded('limits.connections', { peer })
    oldest.abort(new InboundLimitError('its peer has most of the connections, and another one came'))
    this.#release(oldest)
    return true
  }

  #cutOldestOf(prefix: string): boolean {
    const ofSite = this.#known.get(siteOf(prefix)) ?? []
    return this.#cut([...ofSite].find((each) => this.#slots.get(each)?.prefix === prefix))
  }

  /** Names so many bits of its address. */
  #cut(oldest: MultiaddrConnection | undefined, bits = 64): boolean {
    const slot = oldest === undefined ? undefined : this.#slots.get(oldest)
    if (oldest === undefined || slot === undefined) return false
    this.#init.culprits?.exceeded('limits.unfinished', { address: prefixText(slot.prefix, bits) })
    oldest.abort(new InboundLimitError('its handshake was the oldest of those that say nothing, and another one came'))
    this.#release(oldest)
    this.#refused++
    return true
  }

  #hold(connection: MultiaddrConnection, prefix: string, known: boolean): void {
    const { upgradeTimeoutMs } = this.#init.limits
    const cut = (): void =>
      connection.abort(new InboundLimitError(`the handshake took longer than ${upgradeTimeoutMs / 1000} s`))
    const timer = known ? undefined : setTimeout(cut, upgradeTimeoutMs).unref()
    this.#slots.set(connection, { prefix, known, timer, finished: false })
    const handshakes = known ? this.#known : this.#strangers
    const site = siteOf(prefix)
    handshakes.set(site, (handshakes.get(site) ?? new Set()).add(connection))
    this.#unfinished++
    count(this.#unfinishedOf, prefix, 1)
    connection.addEventListener('close', () => this.#release(connection), { once: true })
  }

  #release(connection: MultiaddrConnection): void {
    const slot = this.#slots.get(connection)
    if (slot === undefined) return
    this.#slots.delete(connection)
    clearTimeout(slot.timer)
    if (slot.finished) {
      this.#open--
      count(this.#openOf, slot.prefix, -1)
    } else this.#endHandshake(connection, slot)
  }

  #endHandshake(connection: MultiaddrConnection, { prefix, known }: Slot): void {
    this.#unfinished--
    count(this.#unfinishedOf, prefix, -1)
    const handshakes = known ? this.#known : this.#strangers
    const ofSite = handshakes.get(siteOf(prefix))
    ofSite?.delete(connection)
    if (ofSite?.size === 0) handshakes.delete(siteOf(prefix))
  }
}

/** The /48 of a /64: what one customer of a provider has at the most. */
const siteOf = (prefix: string): string => prefix.slice(0, 12)

/** Name of a culprit where no key is proven: the /64, since ports are free. */
export const netOfConnection = ({ remoteAddr }: Pick<MultiaddrConnection, 'remoteAddr'>): string => {
  const address = parseAddr(remoteAddr)?.ip
  const prefix = address === undefined ? undefined : prefix64(address)
  return prefix === undefined ? remoteAddr.toString() : netOf(prefix)
}

const netOf = (prefix: string): string => prefixText(prefix, 64)

const count = (counts: Map<string, number>, prefix: string, change: 1 | -1): void => {
  const value = (counts.get(prefix) ?? 0) + change
  if (value === 0) counts.delete(prefix)
  else counts.set(prefix, value)
}
