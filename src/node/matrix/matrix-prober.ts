import type { Connection } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { equals } from 'uint8arrays/equals'
import { compareBytes } from '../../identity/hash.ts'
import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import { servesRegistry } from '../../identity/role.ts'
import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import type { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import { type DialResult, type ProbeServer, probeMember } from '../../protocols/probe/index.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import type { Supervisor } from '../../runtime/supervisor.ts'
import { freshMs, type ProbeWords, probersOfMember } from './probe-words.ts'

export interface MatrixProberInit {
  registry: Registry
  self: Uint8Array
  trust: ConnectionTrust
  limits: ProtocolLimits
  words: ProbeWords
  /** Dials for this node, which is a prober as others are. */
  prober: Pick<ProbeServer, 'dial'>
  clock: Clock
  logger: Logger
}

interface Prober {
  readonly publicKey: Uint8Array
  /** undefined: this node. */
  readonly connection: Connection | undefined
}

/** A network that starts has better things to do. */
const firstMs = { from: 20_000, to: 40_000 }
/** Between two looks for members to be probed. */
const idleMs = 5_000
/** Pause for each dial that was asked for: four a second from one registry, however many members it has. */
const paceMs = 250
/** A prober that is asked too often is asked again so much later. */
const limitedMs = 30_000

/**
 * Has each address of the members whose lease is held here, and those of this registry, dialled by some other members. The probers of a
 * member are its neighbours among the keys of those connected, three on each side: whoever probes it is probed by it.
 */
export class MatrixProber {
  readonly #init: MatrixProberInit
  /** Members to be looked at, by key, the one that waits longest first. */
  #waiting = new Map<string, Uint8Array>()
  /** The same for those whose probers had been asked too often. */
  #again = new Map<string, Uint8Array>()
  #passAt = Number.NEGATIVE_INFINITY

  constructor(init: MatrixProberInit) {
    this.#init = init
  }

  start(services: Supervisor): void {
    services.run('matrix', {
      everyMs: idleMs,
      firstMs: firstMs.from + Math.random() * (firstMs.to - firstMs.from),
      round: (signal) => this.round(signal)
    })
  }

  /** A member has another record, or came back: what nobody has dialled yet is. */
  look(publicKey: Uint8Array): void {
    if (this.#isOurs(publicKey)) this.#waiting.set(keyId(publicKey), publicKey)
  }

  /** Has one member probed. Gives the ms until the next round. */
  async round(signal: AbortSignal): Promise<number> {
    this.#beginPass()
    const [next] = this.#waiting
    if (next === undefined) {
      if (this.#again.size === 0) return idleMs
      this.#waiting = this.#again
      this.#again = new Map()
      return limitedMs
    }
    const [id, publicKey] = next
    this.#waiting.delete(id)
    return Math.max(1, await this.#probe(publicKey, signal)) * paceMs
  }

  #beginPass(): void {
    const { registry, words, clock } = this.#init
    const now = clock.monotonic()
    if (now - this.#passAt < freshMs) return
    this.#passAt = now
    const { records, replica } = registry
    words.keep(
      (publicKey) => records.read(publicKey)?.addrs ?? [],
      (publicKey) => replica.isMember(publicKey)
    )
    for (const { publicKey } of replica.state.members()) this.look(publicKey)
  }

  /** It is up, and this registry holds its lease. */
  #isOurs(publicKey: Uint8Array): boolean {
    const { registry, self } = this.#init
    if (equals(publicKey, self)) return true
    const { own, state } = registry.liveness.view(publicKey)
    return own && (state === 'online' || state === 'late') && registry.replica.isMember(publicKey)
  }

  /** Gives the number of dials that were asked for. */
  async #probe(publicKey: Uint8Array, signal: AbortSignal): Promise<number> {
    const record = this.#init.registry.records.read(publicKey)
    if (record === undefined || record.left || record.reach === 'outbound' || !this.#isOurs(publicKey)) return 0
    const { words } = this.#init
    words.keepAddrs(publicKey, record.addrs)
    let asked = 0
    const askAll = async (prober: Prober): Promise<void> => {
      for (const addr of record.addrs) {
        if (signal.aborted || !words.isDue(publicKey, addr, prober.publicKey)) continue
        asked++
        if (await this.#ask(prober, publicKey, addr, signal)) continue
        this.#again.set(keyId(publicKey), publicKey)
        return
      }
    }
    await Promise.all(this.#probersOf(publicKey).map(askAll))
    return asked
  }

  /** false: the prober was asked too often. One that cannot or will not say gives no word. */
  async #ask(prober: Prober, publicKey: Uint8Array, addr: string, signal: AbortSignal): Promise<boolean> {
    const { words, logger } = this.#init
    try {
      words.put(publicKey, addr, prober.publicKey, await this.#dial(prober, publicKey, addr, signal))
    } catch (error) {
      const fields = { peer: peerIdText(prober.publicKey), ipv6_addr: addr, error: String(error) }
      logger.debug(
        fields,
        'a member could not say whether it reaches an address of another one; it is asked again later'
      )
      return !(error instanceof Error && error.name === 'RateLimitedError')
    }
    return true
  }

  async #dial({ connection }: Prober, publicKey: Uint8Array, addr: string, signal: AbortSignal): Promise<DialResult> {
    const { prober, limits, registry } = this.#init
    if (connection === undefined) return await prober.dial(addr, peerIdFromString(peerIdText(publicKey)), signal)
    return await probeMember(connection, { publicKey, addr }, { networkId: registry.networkId, limits, signal })
  }

  #probersOf(publicKey: Uint8Array): Prober[] {
    const { trust, self } = this.#init
    const all = new Map<string, Prober>([[keyId(self), { publicKey: self, connection: undefined }]])
    for (const { connection, member } of trust.members()) {
      if (servesRegistry(member.role)) all.set(keyId(member.publicKey), { publicKey: member.publicKey, connection })
    }
    all.delete(keyId(publicKey))
    return neighbours([...all.values()], publicKey)
  }
}

/** Those next to the key in the order of keys, as many below as above; behind the last comes the first. */
const neighbours = (all: readonly Prober[], publicKey: Uint8Array): Prober[] => {
  if (all.length <= probersOfMember) return [...all]
  const ring = all.toSorted((a, b) => compareBytes(a.publicKey, b.publicKey))
  const above = ring.filter((each) => compareBytes(each.publicKey, publicKey) < 0).length
  const from = above - probersOfMember / 2 + ring.length
  return Array.from({ length: probersOfMember }, (_, at) => ring[(from + at) % ring.length]).filter(
    (each) => each !== undefined
  )
}
