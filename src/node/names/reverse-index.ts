import { setImmediate } from 'node:timers/promises'
import { isRelayed } from '../../address/circuit.ts'
import { memberAddress } from '../../address/ipv6.ts'
import { parseAddr } from '../../address/multiaddr.ts'
import { keyId } from '../../identity/key-id.ts'
import type { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import type { Registry } from '../../registry/registry.ts'
import { announcesLoopback, namedAddresses } from './named-addresses.ts'

/** Members that have joined or moved are found at their addresses within this time. */
const freshMs = 5_000
/** Members that are looked at without a pause: everything else goes on meanwhile. */
const membersAtOnce = 250
/** Names of one address: more are no answer that anybody reads. */
const mostNames = 16

/** Sources of the names of addresses. */
export interface ReverseInit {
  readonly registry: Registry
  readonly trust: Pick<ConnectionTrust, 'members'>
  readonly self: { readonly announced: readonly string[] }
  /** Key of this node. */
  readonly publicKey: Uint8Array
}

/** Names of one address. */
interface Names {
  /** Members whose address follows from their key, or who have proven themselves there. */
  readonly proven: string[]
  /** Members that have only written it into their records, as anybody may. */
  readonly claimed: string[]
}

/** Members by their addresses: those of their records, and the one that follows from each key. Made when it is asked for, in turns. */
export class ReverseIndex {
  readonly #init: ReverseInit
  #made: Promise<ReadonlyMap<string, Names>> | undefined
  #madeAt = Number.NEGATIVE_INFINITY

  constructor(init: ReverseInit) {
    this.#init = init
  }

  /** First those that have proven themselves there: however many claim an address, its member is found. */
  async at(address: string): Promise<readonly string[]> {
    if (this.#made === undefined || performance.now() - this.#madeAt > freshMs) {
      this.#made = this.#make()
      this.#madeAt = Number.POSITIVE_INFINITY
      this.#made.then(
        () => (this.#madeAt = performance.now()),
        () => (this.#made = undefined)
      )
    }
    const { proven, claimed } = (await this.#made).get(address) ?? { proven: [], claimed: [] }
    return [...proven, ...claimed].slice(0, mostNames)
  }

  async #make(): Promise<ReadonlyMap<string, Names>> {
    const { registry, self } = this.#init
    const { replica, records, networkId } = registry
    const isOnLoopback = announcesLoopback(self.announced)
    const connected = this.#connected()
    const names = new Map<string, Names>()
    const note = (address: string, name: string, isProven: boolean): void => {
      const at = names.get(address) ?? { proven: [], claimed: [] }
      const list = isProven ? at.proven : at.claimed
      if (list.length < mostNames) list.push(name)
      names.set(address, at)
    }
    for (const [index, { publicKey, name }] of [...replica.state.members()].entries()) {
      if (index % membersAtOnce === membersAtOnce - 1) await setImmediate()
      const own = memberAddress(networkId, publicKey)
      const there = this.#provenAt(publicKey, connected)
      note(own, name, true)
      for (const address of namedAddresses(records.read(publicKey)?.addrs ?? [], isOnLoopback))
        if (address !== own) note(address, name, there.has(address))
    }
    return names
  }

  /** Remote addresses of the connections of members, by key. */
  #connected(): Map<string, Set<string>> {
    const connected = new Map<string, Set<string>>()
    for (const { connection, member } of this.#init.trust.members()) {
      const ip = isRelayed(connection) ? undefined : parseAddr(connection.remoteAddr.toString())?.ip
      if (ip === undefined) continue
      const key = keyId(member.publicKey)
      connected.set(key, (connected.get(key) ?? new Set()).add(ip))
    }
    return connected
  }

  /** Addresses on which a member is connected now, or answered as itself the last time that it was dialled; those of this node are its own. */
  #provenAt(publicKey: Uint8Array, connected: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
    const { registry, self } = this.#init
    if (Buffer.compare(publicKey, this.#init.publicKey) === 0) return new Set(namedAddresses(self.announced, true))
    const { lastAddress } = registry.liveness.view(publicKey)
    const last = lastAddress === undefined ? undefined : parseAddr(lastAddress)?.ip
    return new Set([...(connected.get(keyId(publicKey)) ?? []), ...(last === undefined ? [] : [last])])
  }
}
