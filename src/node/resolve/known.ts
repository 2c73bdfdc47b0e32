import { peerIdText } from '../../identity/keys.ts'
import type { Invite } from '../../registry/objects/invite.ts'
import type { Config } from '../config/schema.ts'
import { type KnownCandidate, maxCandidates, type Resolver } from './resolver.ts'

/** Greatest number of these from the last run, so that a cache that has died leaves room for what the operator wrote. */
const maxCached = 20
/** An operator has few to name. */
const maxNamed = 8
/** Two addresses of each of eight registries. */
const maxTold = 16

export interface KnownAddressesInit {
  config: Config
  /** Looked up at each call: an invite may be handed over while the process runs. */
  invite: () => Invite | undefined
  /** From the database: registries and members with addresses, best first. */
  cached: () => KnownCandidate[]
}

/** Whom to dial without asking anybody, in the order of trust in the address: what the last run knew, the invite, what the operator wrote. */
export class KnownAddresses implements Resolver {
  readonly #init: KnownAddressesInit
  #answered: string | undefined
  /** Addresses that an operator has named while the process ran, the last one first. */
  #named: string[] = []
  #told: readonly KnownCandidate[] = []

  constructor(init: KnownAddressesInit) {
    this.#init = init
  }

  async resolve(publicKey: Uint8Array | undefined): Promise<KnownCandidate[] | undefined> {
    return publicKey === undefined ? this.registries() : undefined
  }

  registries(): KnownCandidate[] {
    const cached = this.#init.cached()
    const named = this.#named.map((multiaddr) => ({ multiaddr, source: 'config' as const }))
    const all = [...named, ...cached.slice(0, maxCached), ...this.#invited(), ...this.#configured(), ...this.#told]
    const seen = new Set<string>()
    const unique = all.filter(({ multiaddr }) => !seen.has(multiaddr) && seen.add(multiaddr))
    const isFirst = ({ multiaddr }: KnownCandidate): boolean => `${multiaddr}/`.startsWith(`${this.#answered}/`)
    return unique.toSorted((a, b) => Number(isFirst(b)) - Number(isFirst(a))).slice(0, maxCandidates)
  }

  /** Tries this address before all others from now on. */
  name(multiaddr: string): void {
    this.#named = [multiaddr, ...this.#named.filter((each) => each !== multiaddr)].slice(0, maxNamed)
  }

  /** Registries of which one has told that keeps the join of this node: behind all that was known before. */
  told(candidates: readonly KnownCandidate[]): void {
    this.#told = candidates.slice(0, maxTold)
  }

  /** This address won a race: it is the first one from now on. */
  answered(address: string): void {
    this.#answered = address
  }

  #invited(): KnownCandidate[] {
    const registries = this.#init.invite()?.registries ?? []
    return registries.flatMap(({ publicKey, addrs }) =>
      addrs.map((multiaddr) => ({ multiaddr, peerIds: [peerIdText(publicKey)], source: 'invite' as const }))
    )
  }

  #configured(): KnownCandidate[] {
    const { rootAddress, registries, peers } = this.#init.config.bootstrap
    const written = [...(rootAddress === undefined ? [] : [rootAddress]), ...registries, ...peers]
    return written.map((multiaddr) => ({ multiaddr, source: 'config' as const }))
  }
}
