import { keyId } from '../../identity/key-id.ts'
import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import { Gcra } from '../../protocols/engine/rate-limiter.ts'
import { lookup } from '../../protocols/lookup/index.ts'
import type { State } from '../../registry/liveness/states.ts'
import type { NodeRecord } from '../../registry/objects/record.ts'
import type { Registry } from '../../registry/registry.ts'
import { UnavailableError } from '../../runtime/errors.ts'
import type { SessionView } from '../session/lease-client.ts'

/** A member as it is seen here, or by a registry. */
export interface Sighting {
  readonly publicKey: Uint8Array
  /** undefined: it has shown none yet. */
  readonly record: NodeRecord | undefined
  readonly state: State
}

/** One member, or those that offer a service. */
type Query = { readonly publicKey: Uint8Array } | { readonly service: string }

/** Gives those that fit. @throws where nobody can be asked */
export type Sightings = (query: Query) => Promise<readonly Sighting[]>

/** Members that are looked at for a service, here and at a registry. */
const most = { here: 500, there: 100 }
/** A registry that takes longer is frozen or cut off. */
const answerMs = 2_000
const freshMs = 5_000
const mostKept = 256
/** Questions to the registry: it takes a hundred in a second from a member, for all that this node does. */
const questions = { count: 20, perMs: 1_000 }

/** Members as the records that are kept here show them. */
export const seenHere = (registry: Registry): Sightings => {
  const seen = (publicKey: Uint8Array): Sighting => ({
    publicKey,
    record: registry.records.read(publicKey),
    state: registry.liveness.view(publicKey).state
  })
  return async (query) =>
    'publicKey' in query
      ? [seen(query.publicKey)]
      : registry.lookup({ ...query, limit: most.here }).rows.map(({ publicKey }) => seen(publicKey))
}

/** The network of a node that keeps no records of others. */
export interface AskingNetwork {
  readonly registry: Registry
  readonly limits: ProtocolLimits
  /** undefined: no registry holds the lease now. */
  readonly session: SessionView | undefined
}

/** Members as the registry that holds the lease shows them. It is asked one thing at a time, and an answer is kept for a while: programs ask again and again. */
export const seenByRegistry = (network: AskingNetwork): Sightings => {
  const rate = new Gcra(questions)
  const kept = new Map<string, { readonly rows: Promise<readonly Sighting[]>; readonly until: number }>()
  let last: Promise<unknown> = Promise.resolve()
  return async (query) => {
    const id = 'publicKey' in query ? `key ${keyId(query.publicKey)}` : `service ${query.service}`
    const known = kept.get(id)
    if (known !== undefined && known.until > performance.now()) return await known.rows
    if (rate.take('') > 0) throw new UnavailableError('too much was asked of the registry at once', questions.perMs)
    const signal = AbortSignal.timeout(answerMs)
    const rows = last.then(async () => await ask(network, query, signal))
    last = rows.catch(() => kept.delete(id))
    kept.delete(id)
    for (const oldest of kept.keys()) if (kept.size >= mostKept) kept.delete(oldest)
    kept.set(id, { rows, until: performance.now() + freshMs })
    return await rows
  }
}

const ask = async (
  { registry, limits, session }: AskingNetwork,
  query: Query,
  signal: AbortSignal
): Promise<readonly Sighting[]> => {
  if (session === undefined) throw new UnavailableError('no registry holds the lease of this node', answerMs)
  const options = { networkId: registry.networkId, limits, signal }
  const { rows } = await lookup(session.peer.connection, { ...query, limit: most.there }, options)
  return rows.map(({ publicKey, record, state }) => ({ publicKey, record: record?.value, state }))
}
