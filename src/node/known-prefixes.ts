import { parseAddr } from '../registry/addrs.ts'
import type { Registry } from '../registry/registry.ts'
import { prefix64 } from './prefix.ts'

/** Records that are read at a time. */
const page = 1_000

/**
 * The /64 prefixes that members announce. Grows with each new record, so that a question costs no walk over all members; a
 * prefix that nobody announces any more stays known until the next start, which lets a member that moves come back.
 */
export class KnownPrefixes {
  readonly #registry: Registry
  readonly #prefixes = new Set<string>()
  #change = 0

  constructor(registry: Registry) {
    this.#registry = registry
  }

  has(prefix: string): boolean {
    this.#catchUp()
    return this.#prefixes.has(prefix)
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
