import { parseIp6, ulaPrefix } from '../../address/ipv6.ts'
import type { Member } from '../../registry/log/state/network-state.ts'
import type { NodeRecord } from '../../registry/objects/record.ts'
import type { Registry } from '../../registry/registry.ts'
import { UnavailableError } from '../../runtime/errors.ts'
import type { NodeParts } from '../node-parts.ts'
import type { NameSource, Offer } from './answers.ts'
import { announcesLoopback, namedAddresses } from './named-addresses.ts'
import { ReverseIndex } from './reverse-index.ts'

/** TTL of what was verified just now, which falls with its age, and the least. */
const ttlSeconds = { most: 30, least: 5 }
/** Members that are looked at for a service, and those that an answer names. */
const mostOffering = 512
const mostOffers = 64
/** Hex digits of a /48. */
const prefixNibbles = 12

/** The part of a network that names are made of. */
export interface NamedNetwork {
  readonly registry: Registry
  readonly self: { readonly announced: readonly string[] }
}

/** Names of the members, from the verified log and the records that are kept here. */
export class NetworkNames implements NameSource {
  readonly domain: string
  readonly #node: Pick<NodeParts, 'config' | 'key'>
  readonly #network: NamedNetwork
  readonly #reverse: ReverseIndex
  readonly #prefix: string

  constructor(node: Pick<NodeParts, 'config' | 'key'>, network: NamedNetwork) {
    const { genesis, networkId } = network.registry
    this.#node = node
    this.#network = network
    this.domain = genesis.value.domain.toLowerCase()
    this.#reverse = new ReverseIndex(network.registry)
    const base = parseIp6(ulaPrefix(networkId).split('/')[0] ?? '') ?? new Uint8Array()
    this.#prefix = Buffer.from(base).toString('hex').slice(0, prefixNibbles)
  }

  get serial(): number {
    return this.#network.registry.replica.head.n
  }

  get ttlSeconds(): number {
    const { registry } = this.#network
    if (registry.root !== undefined && registry.root.refusal === undefined) return ttlSeconds.most
    if (registry.replica.checkpoint === undefined) return ttlSeconds.least
    const left = ttlSeconds.most - Math.floor(registry.replicaAgeMs() / 1000)
    return Math.max(ttlSeconds.least, Math.min(ttlSeconds.most, left))
  }

  addresses(name: string): readonly string[] | undefined {
    const member = this.#member(name)
    return member === undefined ? undefined : this.#addressesOf(member)
  }

  offers(service: string, protocol: 'tcp' | 'udp'): readonly Offer[] {
    const { registry } = this.#network
    this.#requireRecords()
    const offers = registry.lookup({ service, limit: mostOffering }).rows.flatMap(({ publicKey }): Offer[] => {
      const member = registry.replica.state.member(publicKey)
      const offered = registry.records
        .read(publicKey)
        ?.services.find((each) => each.name === service && each.protocol === protocol)
      if (member === undefined || offered === undefined || this.#member(member.name) === undefined) return []
      const priority = this.#priority(publicKey, offered.state)
      return [{ name: member.name, port: offered.port, priority, addresses: this.#addressesOf(member) }]
    })
    return offers.toSorted((a, b) => a.priority - b.priority).slice(0, mostOffers)
  }

  async namesAt(address: string): Promise<readonly string[] | undefined> {
    const names = await this.#reverse.at(address)
    const current = names.filter((name) => this.#member(name) !== undefined)
    return current.length === 0 ? undefined : current
  }

  isPrefix(nibbles: string): boolean {
    return nibbles.startsWith(this.#prefix) || this.#prefix.startsWith(nibbles)
  }

  /** A member now, that has not left. */
  #member(name: string): Member | undefined {
    const { replica, liveness } = this.#network.registry
    const member = replica.state.memberByName(name)
    if (member === undefined || !replica.isMember(member.publicKey)) return undefined
    const hasLeft = this.#record(member)?.left === true || liveness.view(member.publicKey).state === 'left'
    return hasLeft && !this.#isSelf(member) ? undefined : member
  }

  #addressesOf(member: Member): string[] {
    const { announced } = this.#network.self
    if (!this.#isSelf(member)) this.#requireRecords()
    const addresses = this.#isSelf(member) ? announced : (this.#record(member)?.addrs ?? [])
    return namedAddresses(addresses, announcesLoopback(announced))
  }

  #record({ publicKey }: Member): NodeRecord | undefined {
    return this.#network.registry.records.read(publicKey)
  }

  #isSelf({ publicKey }: Member): boolean {
    return Buffer.compare(publicKey, this.#node.key.publicKey) === 0
  }

  /** First those that are up and well, then those that are not there, last those that say that they are not well. */
  #priority(publicKey: Uint8Array, state: string): number {
    if (state === 'failing' || state === 'maintenance') return 30
    const up = this.#network.registry.liveness.view(publicKey).state
    return up === 'offline' || up === 'suspect' ? 20 : 10
  }

  #requireRecords(): void {
    const { role, replication } = this.#node.config
    if (role === 'external' || !replication.enabled)
      throw new UnavailableError('this node keeps no records of others', 60_000)
  }
}
