import { parseAddr } from '../../address/multiaddr.ts'
import { prefix64 } from '../../address/prefix.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { Registry } from '../../registry/registry.ts'

const seenForMs = 24 * 3_600_000
/** Number of prefixes that are kept of one member, the latest: whoever has a /48 could make 65,536 of them known. */
const perMember = 2
/** The member that was seen longest ago goes first. */
const mostMembers = 20_000

/**
 * The /64 prefixes where a member proved itself in the last 24 h, on a connection from there or to there. What a record says counts for
 * nothing here: anybody can write any address into its own.
 */
export class KnownPrefixes {
  /** By member: its prefixes, and when it was seen there last, the earliest first. */
  readonly #seen = new Map<string, Map<string, number>>()
  readonly #members = new Map<string, Set<string>>()

  /** Begins with where members were dialled before the last stop. */
  constructor({ liveness }: Pick<Registry, 'liveness'>, wallMs = Date.now()) {
    const now = performance.now()
    for (const { publicKey, lastAddress, lastConnectedMs = 0 } of liveness.views()) {
      // The clock was ahead then, or is behind now.
      const ageMs = Math.max(0, wallMs - lastConnectedMs)
      if (lastAddress !== undefined && ageMs < seenForMs) this.#note(peerIdText(publicKey), lastAddress, now - ageMs)
    }
  }

  has(prefix: string): boolean {
    const since = performance.now() - seenForMs
    for (const member of this.#members.get(prefix) ?? []) {
      if ((this.#seen.get(member)?.get(prefix) ?? Number.NEGATIVE_INFINITY) > since) return true
    }
    return false
  }

  /** A member proved itself on a connection with this multiaddr. */
  seen(peerId: string, address: string): void {
    this.#note(peerId, address, performance.now())
  }

  #note(member: string, address: string, at: number): void {
    const { ip, scope } = parseAddr(address) ?? {}
    // All machines of all links share one prefix.
    const prefix = ip === undefined || scope === 'link-local' ? undefined : prefix64(ip)
    if (prefix === undefined) return
    const prefixes = this.#seen.get(member) ?? new Map<string, number>()
    this.#seen.delete(member)
    this.#seen.set(member, prefixes)
    prefixes.delete(prefix)
    prefixes.set(prefix, at)
    this.#members.set(prefix, (this.#members.get(prefix) ?? new Set()).add(member))
    const [oldest] = prefixes.keys()
    if (prefixes.size > perMember && oldest !== undefined) this.#forget(member, oldest)
    const [first] = this.#seen.keys()
    if (this.#seen.size <= mostMembers || first === undefined) return
    for (const each of this.#seen.get(first)?.keys() ?? []) this.#forget(first, each)
    this.#seen.delete(first)
  }

  #forget(member: string, prefix: string): void {
    this.#seen.get(member)?.delete(prefix)
    const members = this.#members.get(prefix)
    members?.delete(member)
    if (members?.size === 0) this.#members.delete(prefix)
  }
}
