import { parseAddr } from '../../address/multiaddr.ts'
import { prefix64 } from '../../address/prefix.ts'
import type { Registry } from '../../registry/registry.ts'

/** Records that are read at a time. */
const page = 1_000
const seenForMs = 24 * 3_600_000
/** Prefixes that members came from without announcing them; the one seen longest ago goes first. */
const mostSeen = 10_000

/**
 * The /64 prefixes that members announce, or that one of them came from in the last 24 h. What is announced grows with each
 * new record, so that a question costs no walk over all members; a prefix that nobody announces any more stays known until
 * the next start, which lets a member that moves come back.
 */
export class KnownPrefixes {
  readonly #registry: Registry
  readonly #prefixes = new Set<string>()
  readonly #seenAt = new Map<string, number>()
  #change = 0

  constructor(registry: Registry) {
    this.#registry = registry
  }

  has(prefix: string): boolean {
    this.#catchUp()
    return (
      this.#prefixes.has(prefix) ||
      performance.now() - (this.#seenAt.get(prefix) ?? Number.NEGATIVE_INFINITY) < seenForMs
    )
  }

  /** A member proved itself on a connection from there: a multiaddr. */
  seen(address: string): void {
    const ip = parseAddr(address)?.ip
    const prefix = ip === undefined ? undefined : prefix64(ip)
    if (prefix === undefined) return
    this.#seenAt.delete(prefix)
    this.#seenAt.set(prefix, performance.now())
    const oldest = this.#seenAt.keys().next()
    if (this.#seenAt.size > mostSeen && oldest.done !== true) this.#seenAt.delete(oldest.value)
  }

  #catchUp(): void {
    const { records } = this.#registry
    while (records.lastChange() > this.#change) {
      const rows = records.changesAfter(this.#change, page)
      for (const { publicKey, change } of rows) {
        this.#change = change
        for (const address of records.read(publicKey)?.addrs ?? []) this.#add(address)
      }
      if (rows.length < page) return
    }
  }

  #add(address: string): void {
    const ip = parseAddr(address)?.ip
    const prefix = ip === undefined ? undefined : prefix64(ip)
    if (prefix !== undefined) this.#prefixes.add(prefix)
  }
}
