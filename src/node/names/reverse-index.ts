import { setImmediate } from 'node:timers/promises'
import { memberAddress } from '../../address/ipv6.ts'
import type { Registry } from '../../registry/registry.ts'
import { namedAddresses } from './named-addresses.ts'

/** Members that have joined or moved are found at their addresses within this time. */
const freshMs = 5_000
/** Members that are looked at without a pause: everything else goes on meanwhile. */
const membersAtOnce = 250
/** Names of one address: more are no answer that anybody reads. */
const mostNames = 16

/** Members by their addresses: those of their records, and the one that follows from each key. Made when it is asked for, in turns. */
export class ReverseIndex {
  readonly #registry: Registry
  readonly #isOnLoopback: () => boolean
  #made: Promise<ReadonlyMap<string, readonly string[]>> | undefined
  #madeAt = Number.NEGATIVE_INFINITY

  /** `isOnLoopback`: addresses on the loopback are those of members. */
  constructor(registry: Registry, isOnLoopback: () => boolean) {
    this.#registry = registry
    this.#isOnLoopback = isOnLoopback
  }

  async at(address: string): Promise<readonly string[]> {
    if (this.#made === undefined || performance.now() - this.#madeAt > freshMs) {
      this.#made = this.#make()
      this.#madeAt = Number.POSITIVE_INFINITY
      this.#made.then(
        () => (this.#madeAt = performance.now()),
        () => (this.#made = undefined)
      )
    }
    return (await this.#made).get(address) ?? []
  }

  async #make(): Promise<ReadonlyMap<string, readonly string[]>> {
    const { replica, records, networkId } = this.#registry
    const names = new Map<string, string[]>()
    for (const [index, { publicKey, name }] of [...replica.state.members()].entries()) {
      if (index % membersAtOnce === membersAtOnce - 1) await setImmediate()
      const own = namedAddresses(records.read(publicKey)?.addrs ?? [], this.#isOnLoopback())
      for (const address of new Set([...own, memberAddress(networkId, publicKey)])) {
        const at = names.get(address) ?? []
        if (at.length < mostNames) at.push(name)
        names.set(address, at)
      }
    }
    return names
  }
}
