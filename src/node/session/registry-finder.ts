import type { Connection } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import { isRelayed } from '../../address/circuit.ts'
import { peerIdText, publicKeyOf, publicKeyOfPeerId } from '../../identity/keys.ts'
import { isRegistryRole, servesRegistry } from '../../identity/role.ts'
import { openRegisterSession, type RegistrySession } from '../../protocols/register/index.ts'
import { NotFoundError, RevokedError } from '../../runtime/errors.ts'
import { type DialFailure, raceDial } from '../bootstrap/dial-race.ts'
import { waitForProof } from '../bootstrap/proof-wait.ts'
import { JustTriedError, NoCandidateError } from '../errors.ts'
import type { Host } from '../host/host-services.ts'
import type { NetworkParts } from '../network-parts.ts'
import type { NodeParts } from '../node-parts.ts'
import type { KnownCandidate } from '../resolve/resolver.ts'
import { errorFrom, type LeaseRegistries, type RegistryPeer, refusalOf } from './types.ts'

export interface RegistryFinderInit {
  node: Pick<NodeParts, 'config' | 'key' | 'resolvers' | 'clock'>
  network: Pick<NetworkParts, 'registry' | 'trust' | 'gater' | 'limits' | 'pingMonitor'>
  host: Host
}

const none: ReadonlySet<string> = new Set()

/** Finds a registry to hold the lease. */
export class RegistryFinder implements LeaseRegistries {
  readonly #init: RegistryFinderInit

  constructor(init: RegistryFinderInit) {
    this.#init = init
  }

  /**
   * A registry to hold the lease, none of those just tried (PeerIds): a connected root or secondary, else whoever answers first of those known, else a connected
   * member that stands in, and DNS only when everything known has failed. Whoever is connected and answers no ping is dialled anew, and
   * asked on the old connection last.
   * undefined: this process needs none (the only registry).
   *
   * @throws RevokedError where one of them says so and no other takes this node; NoCandidateError with what each candidate did
   */
  async find(except: ReadonlySet<string>, signal: AbortSignal): Promise<RegistryPeer | undefined> {
    const { config, resolvers } = this.#init.node
    const registry = this.#answering(except).find(
      ({ role, publicKey }) => isRegistryRole(role) && !this.#isAway(publicKey)
    )
    if (registry !== undefined) return registry
    const failures: DialFailure[] = []
    const isTried = ({ peerIds }: KnownCandidate): boolean => peerIds?.every((id) => except.has(id)) === true
    const race = async (group: readonly KnownCandidate[]) => {
      const { here = [], away = [] } = Object.groupBy(
        group.filter((candidate) => !isTried(candidate)),
        ({ peerIds }) => (peerIds?.some((id) => this.#isAway(publicKeyOf(id))) === true ? 'away' : 'here')
      )
      return (
        (await this.#race(here, except, signal, failures)) ??
        this.#answering(except)[0] ??
        (await this.#race(away, except, signal, failures))
      )
    }
    // Between registries there is always the log: a root asks nobody else who its secondaries are.
    if (config.role === 'root') {
      return (await race(resolvers.known.registries().filter(isCached))) ?? this.#connected(except)[0]
    }
    for await (const group of resolvers.resolve(undefined, signal)) {
      const found = await race(group)
      if (found !== undefined) return found
    }
    const last = this.#connected(except)[0]
    if (last !== undefined) return last
    throw failures.find(({ error }) => error instanceof RevokedError)?.error ?? new NoCandidateError(failures)
  }

  async open(connection: Connection, signal: AbortSignal): Promise<RegistrySession> {
    const { limits } = this.#init.network
    return await openRegisterSession(connection, { limits, clock: this.#init.node.clock, signal })
  }

  /** Finds one that is connected and should hold the lease instead: a registry for a stand-in, and for a secondary the root, to whom it forwards. */
  better(than: RegistryPeer): RegistryPeer | undefined {
    const { config } = this.#init.node
    // As the log says by now: it may have been retired since, or made the root, which is handed over more.
    const roleNow = this.#init.network.trust.memberOf(than.connection)?.role ?? than.role
    if (roleNow === 'root' && than.role === 'root') return undefined
    if (isRegistryRole(config.role)) {
      // The same for a root: another one may have been made while it was away, out of the very registry that holds its lease.
      const root = this.#answering(none).find(({ role }) => role === 'root')
      if (root !== undefined || config.role === 'secondary') return root
    }
    return isRegistryRole(roleNow) ? undefined : this.#answering(none).find(({ role }) => isRegistryRole(role))
  }

  /** Its last ping was not answered. */
  #isSilent(connection: Connection): boolean {
    return this.#init.network.pingMonitor?.isSilent(connection) ?? false
  }

  /** Those of them whose last ping was answered. */
  #answering(except: ReadonlySet<string>): RegistryPeer[] {
    return this.#connected(except).filter(({ connection }) => !this.#isSilent(connection))
  }

  /** It takes no work for a while, as its record says. A registry needs the root whatever that says. */
  #isAway(publicKey: Uint8Array): boolean {
    const { node, network } = this.#init
    return !isRegistryRole(node.config.role) && network.registry.records.read(publicKey)?.maintenance !== undefined
  }

  /** Lists those that are connected and serve, those under maintenance last and behind them the silent ones. */
  #connected(except: ReadonlySet<string>): RegistryPeer[] {
    const { key } = this.#init.node
    const peers: RegistryPeer[] = []
    for (const { connection, member } of this.#init.network.trust.members()) {
      const excluded = except.has(peerIdText(member.publicKey))
      if (excluded || !servesRegistry(member.role) || connection.status !== 'open') continue
      if (!equals(member.publicKey, key.publicKey)) peers.push({ connection, ...member })
    }
    const silent = ({ connection }: RegistryPeer): number => Number(this.#isSilent(connection))
    const away = ({ publicKey }: RegistryPeer): number => Number(this.#isAway(publicKey))
    // The root decides on joins; it is the first choice of a secondary, and one of several of all others.
    return peers.toSorted(
      (a, b) =>
        silent(a) - silent(b) ||
        Number(isRelayed(a.connection)) - Number(isRelayed(b.connection)) ||
        away(a) - away(b) ||
        Number(b.role === 'root') - Number(a.role === 'root')
    )
  }

  /** Waits for the proof of a candidate. What it says against this node is said in its name. */
  async #proof(candidate: Connection, signal: AbortSignal): Promise<void> {
    const { network, host } = this.#init
    try {
      await waitForProof(host.services.hello, network.trust, candidate, signal)
    } catch (error) {
      const name = network.registry.replica.state.member(publicKeyOfPeerId(candidate.remotePeer))?.name
      throw refusalOf(name ?? candidate.remotePeer.toString(), errorFrom(error))
    }
  }

  async #race(
    candidates: readonly KnownCandidate[],
    except: ReadonlySet<string>,
    signal: AbortSignal,
    failures: DialFailure[]
  ): Promise<RegistryPeer | undefined> {
    const { node, network, host } = this.#init
    const { trust, gater, registry } = network
    const { staggerMs, dialTimeoutMs } = node.config.bootstrap
    if (candidates.length === 0) return undefined
    try {
      const { connection, address } = await raceDial({ libp2p: host, gater }, candidates, {
        staggerMs,
        dialTimeoutMs,
        signal,
        verify: async (candidate, verifySignal) => {
          await this.#proof(candidate, verifySignal)
          const member = trust.memberOf(candidate)
          if (member === undefined || !servesRegistry(member.role)) throw new NotFoundError('it serves no registry')
          if (except.has(peerIdText(member.publicKey))) throw new JustTriedError('it was tried a moment ago')
        }
      })
      const member = trust.memberOf(connection)
      if (member === undefined) return undefined
      const source = candidates.find(({ multiaddr }) => `${multiaddr}/`.startsWith(`${address}/`))?.source ?? 'cache'
      registry.liveness.notes.learned(member.publicKey, source)
      registry.liveness.notes.connected(member.publicKey, address)
      if (source === 'link') node.resolvers.answered(address)
      return { connection, ...member }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof NoCandidateError) failures.push(...error.failures)
      else failures.push({ address: '', error: errorFrom(error) })
      return undefined
    }
  }
}

const isCached = ({ source }: KnownCandidate): boolean => source === 'cache'
