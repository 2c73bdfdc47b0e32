import { parseIp6, ulaPrefix } from '../../address/ipv6.ts'
import type { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import type { Member } from '../../registry/log/state/network-state.ts'
import type { NodeParts } from '../node-parts.ts'
import type { NameSource, Offer } from './answers.ts'
import { announcesLoopback, namedAddresses } from './named-addresses.ts'
import { ReverseIndex } from './reverse-index.ts'
import { type AskingNetwork, type Sighting, type Sightings, seenByRegistry, seenHere } from './sightings.ts'

/** TTL of what was verified just now, which falls with its age, and the least. */
const ttlSeconds = { most: 30, least: 5 }
/** Seconds for which what was verified so long ago may be kept; undefined: nothing was yet. */
export const ttlAtAge = (ageMs: number | undefined): number => {
  const left = ageMs === undefined ? 0 : ttlSeconds.most - Math.floor(ageMs / 1000)
  return Math.max(ttlSeconds.least, Math.min(ttlSeconds.most, left))
}

/** Members that an answer names. */
const mostOffers = 64
/** Hex digits of a /48. */
const prefixNibbles = 12

/** The part of a network that names are made of. */
export interface NamedNetwork extends AskingNetwork {
  readonly trust: Pick<ConnectionTrust, 'members'>
  readonly self: { readonly announced: readonly string[] }
}

/** Names of the members, from the verified log and their records: those that are kept here, or those that the registry shows. */
export class NetworkNames implements NameSource {
  readonly domain: string
  readonly #node: Pick<NodeParts, 'key'>
  readonly #network: NamedNetwork
  readonly #here: Sightings
  readonly #seen: Sightings
  readonly #reverse: ReverseIndex
  readonly #prefix: string

  constructor(node: Pick<NodeParts, 'config' | 'key'>, network: NamedNetwork) {
    const { registry, trust, self } = network
    const { genesis, networkId } = registry
    this.#node = node
    this.#network = network
    this.domain = genesis.value.domain.toLowerCase()
    const { role, replication } = node.config
    const keepsRecords = role !== 'external' && replication.enabled
    this.#here = seenHere(registry)
    this.#seen = keepsRecords ? this.#here : seenByRegistry(network)
    this.#reverse = new ReverseIndex({ registry, trust, self, publicKey: node.key.publicKey })
    const base = parseIp6(ulaPrefix(networkId).split('/')[0] ?? '') ?? new Uint8Array()
    this.#prefix = Buffer.from(base).toString('hex').slice(0, prefixNibbles)
  }

  get serial(): number {
    return this.#network.registry.replica.head.n
  }

  get ttlSeconds(): number {
    const { registry } = this.#network
    if (registry.root !== undefined && registry.root.refusal === undefined) return ttlAtAge(0)
    return ttlAtAge(registry.replica.checkpoint === undefined ? undefined : registry.replicaAgeMs())
  }

  async addresses(name: string): Promise<readonly string[] | undefined> {
    return await this.#addresses(name, this.#seen)
  }

  async offers(service: string, protocol: 'tcp' | 'udp'): Promise<readonly Offer[]> {
    const rows = await this.#seen({ service })
    const { state } = this.#network.registry.replica
    const offers = rows.flatMap((row): Offer[] => {
      const { publicKey, record } = row
      const name = state.member(publicKey)?.name ?? ''
      const offered = record?.services.find((each) => each.name === service && each.protocol === protocol)
      if (offered === undefined || this.#member(name) === undefined) return []
      if (hasLeft(row) && !this.#isSelf(publicKey)) return []
      const priority = priorityOf(offered.state, row)
      return [{ name, port: offered.port, priority, addresses: this.#addressesOf(publicKey, row) }]
    })
    return offers.toSorted((a, b) => a.priority - b.priority).slice(0, mostOffers)
  }

  async namesAt(address: string): Promise<readonly string[] | undefined> {
    const names = await this.#reverse.at(address)
    const each = names.map(async (name) => ((await this.#addresses(name, this.#here)) === undefined ? [] : [name]))
    const current = (await Promise.all(each)).flat()
    return current.length === 0 ? undefined : current
  }

  isPrefix(nibbles: string): boolean {
    return nibbles.startsWith(this.#prefix) || this.#prefix.startsWith(nibbles)
  }

  /** A member now, by the log. */
  #member(name: string): Member | undefined {
    const { replica } = this.#network.registry
    const member = replica.state.memberByName(name)
    return member !== undefined && replica.isMember(member.publicKey) ? member : undefined
  }

  async #addresses(name: string, seen: Sightings): Promise<readonly string[] | undefined> {
    const { publicKey } = this.#member(name) ?? {}
    if (publicKey === undefined) return undefined
    const rows = this.#isSelf(publicKey) ? [] : await seen({ publicKey })
    const row = rows.find((each) => Buffer.compare(each.publicKey, publicKey) === 0)
    return row !== undefined && hasLeft(row) ? undefined : this.#addressesOf(publicKey, row)
  }

  #addressesOf(publicKey: Uint8Array, row: Sighting | undefined): string[] {
    const addresses = this.#isSelf(publicKey) ? this.#network.self.announced : (row?.record?.addrs ?? [])
    return namedAddresses(addresses, this.#isOnLoopback)
  }

  get #isOnLoopback(): boolean {
    return announcesLoopback(this.#network.self.announced)
  }

  #isSelf(publicKey: Uint8Array): boolean {
    return Buffer.compare(publicKey, this.#node.key.publicKey) === 0
  }
}

const hasLeft = ({ record, state }: Sighting): boolean => record?.left === true || state === 'left'

/** First those that are up and well, then those that are not there, last those that say that they are not well. */
const priorityOf = (service: string, { state }: Sighting): number => {
  if (service === 'failing' || service === 'maintenance') return 30
  return state === 'offline' || state === 'suspect' ? 20 : 10
}
