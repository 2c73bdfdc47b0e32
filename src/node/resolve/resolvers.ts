import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import type { Invite } from '../../registry/objects/invite.ts'
import type { NodeRecord } from '../../registry/objects/record.ts'
import type { Registry } from '../../registry/registry.ts'
import { type Clock, systemClock } from '../../runtime/clock-and-logger.ts'
import { Supervisor } from '../../runtime/supervisor.ts'
import type { Config } from '../config/schema.ts'
import type { PhaseName } from '../status/phases.ts'
import { cachedCandidates } from './cached.ts'
import { DnsResolver } from './dns.ts'
import { dhtResolver, gossipResolver, type ResolvedNetwork, registryResolver } from './in-network.ts'
import { KnownAddresses } from './known.ts'
import type { KnownCandidate, Resolver, ResolverName } from './resolver.ts'

/** Order in which each phase asks. Each place is asked only when nobody was reached at what those before it knew. */
const orders: Readonly<Record<PhaseName, readonly ResolverName[]>> = {
  // Nothing is trusted yet, and DNS asks for no trust: who it names must prove the network.
  bootstrap: ['known', 'link', 'dns', 'registry', 'gossip', 'dht'],
  // The replica is still on its way, and the registry has all of it.
  trusted: ['known', 'registry', 'gossip', 'dht', 'link', 'dns'],
  federated: ['known', 'gossip', 'registry', 'dht', 'link', 'dns'],
  autonomous: ['known', 'gossip', 'registry', 'dht', 'link', 'dns']
}

/** A node as its resolvers see it. What changes while it runs is looked up at each call. */
export interface ResolvingNode {
  readonly config: Config
  readonly clock: Clock
  readonly services: Supervisor
  readonly key: { readonly publicKey: Uint8Array }
  readonly invites: { readonly invite: Invite | undefined }
  readonly phases: { readonly name: PhaseName }
  /** undefined: it was not found yet. */
  readonly network: ResolvedNetwork | undefined
  /** undefined: the links of this machine are left alone. */
  readonly link?: Resolver | undefined
}

/** Finds addresses of registries and members, and tells others the own ones. */
export class Resolvers {
  readonly known: KnownAddresses
  readonly dns: DnsResolver
  readonly #all: Readonly<Record<ResolverName, Resolver>>
  readonly #phase: () => PhaseName

  constructor(node: ResolvingNode) {
    const { config, clock, services } = node
    const invite = (): Invite | undefined => node.invites.invite
    const network = (): ResolvedNetwork | undefined => node.network
    this.known = new KnownAddresses({
      config,
      invite,
      cached: () => (node.network === undefined ? [] : cachedCandidates(node.network.registry, node.key.publicKey))
    })
    this.dns = new DnsResolver({
      config,
      clock,
      domain: () => config.domain ?? invite()?.domain,
      hasLog: () => node.network !== undefined,
      health: services.part('dns')
    })
    this.#all = {
      known: this.known,
      link: node.link ?? noPlace,
      dns: this.dns,
      registry: registryResolver(network, services.part('lookup')),
      gossip: gossipResolver(network),
      dht: dhtResolver(network, services)
    }
    this.#phase = () => node.phases.name
  }

  /** Addresses of this member, or without a key of registries: what one place after the other adds, if anything, until the caller has enough. */
  async *resolve(publicKey: Uint8Array | undefined, signal: AbortSignal): AsyncGenerator<readonly KnownCandidate[]> {
    const seen = new Set<string>()
    for (const name of orders[this.#phase()]) {
      const found = await ask(this.#all[name], publicKey, signal)
      yield found.filter((each) => !seen.has(idOf(each)) && seen.add(idOf(each)))
    }
  }

  /** Somebody who proved itself was reached there: by the next search it is dialled again. */
  answered(address: string): void {
    this.known.answered(address)
    this.#all.link.answered?.(address)
  }

  /** Tells the own record everywhere. */
  async register(record: Signed<NodeRecord>): Promise<void> {
    await Promise.all(Object.values(this.#all).map(async (each) => await each.register?.(record)))
  }
}

/** A place that nobody asks. */
const noPlace: Resolver = { resolve: async () => undefined }

/** One that fails knows nothing, and its health says why. */
const ask = async (
  resolver: Resolver,
  publicKey: Uint8Array | undefined,
  signal: AbortSignal
): Promise<readonly KnownCandidate[]> => {
  signal.throwIfAborted()
  try {
    const found = await resolver.resolve(publicKey, signal)
    if (found !== undefined) resolver.health?.ok()
    return found ?? []
  } catch (error) {
    signal.throwIfAborted()
    resolver.health?.failed(error)
    return []
  }
}

/** An address with another key behind it is another one. */
const idOf = ({ multiaddr, peerIds = [] }: KnownCandidate): string => [multiaddr, ...peerIds].join(' ')

/** The resolvers of a program that only looks for registries. `has`: the log that is here, and the own key. */
export const resolversOutside = (
  config: Config,
  has?: { registry: Registry; limits: ProtocolLimits; key: ResolvingNode['key'] }
): Resolvers =>
  new Resolvers({
    config,
    clock: systemClock,
    services: new Supervisor(systemClock),
    key: has?.key ?? { publicKey: new Uint8Array() },
    invites: { invite: undefined },
    phases: { name: 'bootstrap' },
    network: has && { ...has, lease: undefined, session: undefined, services: undefined }
  })
