import type { Connection } from '@libp2p/interface'
import { peerIdText, publicKeyOfPeerId } from '../../identity/keys.ts'
import { isRegistryRole, servesRegistry } from '../../identity/role.ts'
import type { ConnectionTrust } from '../../protocols/engine/connection-trust.ts'
import type { Registry } from '../../registry/registry.ts'
import { NotFoundError, RevokedError } from '../../runtime/errors.ts'
import type { Candidates, KnownCandidate } from '../bootstrap/candidates.ts'
import { type DialFailure, raceDial } from '../bootstrap/dial-race.ts'
import { waitForProof } from '../bootstrap/proof-wait.ts'
import type { Config } from '../config/schema.ts'
import { JustTriedError, NoCandidateError } from '../errors.ts'
import type { Gater } from '../host/gater.ts'
import type { Host } from '../host/host.ts'
import { errorFrom, type RegistryPeer, refusalOf } from './types.ts'

export interface FinderInit {
  config: Config
  registry: Registry
  self: Uint8Array
  trust: ConnectionTrust
  host: Host
  gater: Gater
  candidates: Candidates
  /** A connection whose last ping was not answered. */
  isSilent: (connection: Connection) => boolean
}

/**
 * A registry to hold the lease, none of those just tried (PeerIds): a connected root or secondary, else whoever answers first of those known, else a connected
 * member that stands in, and DNS only when everything known has failed. Whoever is connected and answers no ping is dialled anew, and
 * asked on the old connection last.
 * undefined: this process needs none (the only registry).
 *
 * @throws RevokedError where one of them says so and no other takes this node; NoCandidateError with what each candidate did
 */
export async function findRegistry(
  init: FinderInit,
  except: ReadonlySet<string>,
  signal: AbortSignal
): Promise<RegistryPeer | undefined> {
  const { config, candidates } = init
  const registry = answering(init, except).find(({ role }) => isRegistryRole(role))
  if (registry !== undefined) return registry
  const known = candidates.known().filter(({ peerIds }) => peerIds?.every((id) => except.has(id)) !== true)
  const failures: DialFailure[] = []
  const race = async (group: readonly KnownCandidate[]) => await raceFor(init, group, except, signal, failures)
  // Between registries there is always the log: a root asks nobody else who its secondaries are.
  if (config.role === 'root') return (await race(known.filter(isCached))) ?? connectedPeers(init, except)[0]
  const found = (await race(known)) ?? answering(init, except)[0]
  if (found !== undefined) return found
  const last = (await race(await candidates.fromDns(signal))) ?? connectedPeers(init, except)[0]
  if (last !== undefined) return last
  throw failures.find(({ error }) => error instanceof RevokedError)?.error ?? new NoCandidateError(failures)
}

const isCached = ({ source }: KnownCandidate): boolean => source === 'cache'

/** Finds one that is connected and should hold the lease instead: a registry for a stand-in, and for a secondary the root, to whom it forwards. */
export function betterRegistry(init: FinderInit, than: RegistryPeer): RegistryPeer | undefined {
  // As the log says by now: it may have been retired since, or made the root, which is handed over more.
  const roleNow = init.trust.memberOf(than.connection)?.role ?? than.role
  if (roleNow === 'root' && than.role === 'root') return undefined
  if (isRegistryRole(init.config.role)) {
    // The same for a root: another one may have been made while it was away, out of the very registry that holds its lease.
    const root = answering(init, none).find(({ role }) => role === 'root')
    if (root !== undefined || init.config.role === 'secondary') return root
  }
  return isRegistryRole(roleNow) ? undefined : answering(init, none).find(({ role }) => isRegistryRole(role))
}

const none: ReadonlySet<string> = new Set()

/** Those of them whose last ping was answered. */
const answering = (init: FinderInit, except: ReadonlySet<string>): RegistryPeer[] =>
  connectedPeers(init, except).filter(({ connection }) => !init.isSilent(connection))

/** Lists those that are connected and serve, the silent ones last. */
function connectedPeers({ trust, self, isSilent }: FinderInit, except: ReadonlySet<string>): RegistryPeer[] {
  const peers: RegistryPeer[] = []
  for (const { connection, member } of trust.members()) {
    const excluded = except.has(peerIdText(member.publicKey))
    if (excluded || !servesRegistry(member.role) || connection.status !== 'open') continue
    if (Buffer.compare(member.publicKey, self) !== 0) peers.push({ connection, ...member })
  }
  const silent = ({ connection }: RegistryPeer): number => Number(isSilent(connection))
  // The root decides on joins; it is the first choice of a secondary, and one of several of all others.
  return peers.toSorted((a, b) => silent(a) - silent(b) || Number(b.role === 'root') - Number(a.role === 'root'))
}

/** Waits for the proof of a candidate. What it says against this node is said in its name. */
async function waitForWord({ registry, host, trust }: FinderInit, candidate: Connection, signal: AbortSignal) {
  try {
    await waitForProof(host.services.hello, trust, candidate, signal)
  } catch (error) {
    const name = registry.replica.state.member(publicKeyOfPeerId(candidate.remotePeer))?.name
    throw refusalOf(name ?? candidate.remotePeer.toString(), errorFrom(error))
  }
}

async function raceFor(
  init: FinderInit,
  candidates: readonly KnownCandidate[],
  except: ReadonlySet<string>,
  signal: AbortSignal,
  failures: DialFailure[]
): Promise<RegistryPeer | undefined> {
  const { config, trust, host, gater, registry } = init
  if (candidates.length === 0) return undefined
  try {
    const { connection, address } = await raceDial({ libp2p: host, gater }, candidates, {
      staggerMs: config.bootstrap.staggerMs,
      dialTimeoutMs: config.bootstrap.dialTimeoutMs,
      signal,
      verify: async (candidate, verifySignal) => {
        await waitForWord(init, candidate, verifySignal)
        const member = trust.memberOf(candidate)
        if (member === undefined || !servesRegistry(member.role)) throw new NotFoundError('it serves no registry')
        if (except.has(peerIdText(member.publicKey))) throw new JustTriedError('it was tried a moment ago')
      }
    })
    const member = trust.memberOf(connection)
    if (member === undefined) return undefined
    const source = candidates.find(({ multiaddr }) => `${multiaddr}/`.startsWith(`${address}/`))?.source ?? 'cache'
    registry.liveness.learned(member.publicKey, source)
    registry.liveness.connected(member.publicKey, address)
    return { connection, ...member }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof NoCandidateError) failures.push(...error.failures)
    else failures.push({ address: '', error: error instanceof Error ? error : new Error(String(error)) })
    return undefined
  }
}
