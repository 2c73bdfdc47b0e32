import { setImmediate } from 'node:timers/promises'
import { peerIdText } from '../../identity/keys.ts'
import { lookup } from '../../protocols/lookup/index.ts'
import type { LookupQuery as RegistryQuery } from '../../registry/records/lookup.ts'
import { InvalidPayloadError, UnavailableError } from '../../runtime/errors.ts'
import { startTrace } from '../../runtime/trace.ts'
import type { LookupQuery } from '../api/control-api.ts'
import type { LookupView, PeerRow, ViewOrigin } from '../api/views.ts'
import type { NetworkNode } from '../network-node.ts'
import { offers, offersHealthy } from '../services/healthy.ts'
import { connectionsOf, memberRow, type RowMember, type RowSource, recordFields, shownState } from './member-rows.ts'
import { findMember, keyOfPeerId } from './peer-names.ts'
import { refOf, wholeMs, withPeer } from './refs.ts'

type RemoteRow = Awaited<ReturnType<typeof lookup>>['rows'][number]

const defaultRows = 100
const maxRows = 500

const limitOf = ({ limit = defaultRows }: LookupQuery): number => Math.max(1, Math.min(limit, maxRows))

const cursorOf = ({ after }: LookupQuery): Uint8Array | undefined => {
  if (after === undefined) return undefined
  const key = keyOfPeerId(after)
  if (key === undefined) throw new InvalidPayloadError('`after` is the `next` of the page before, a PeerId')
  return key
}

const filtersOf = ({ role, service }: LookupQuery): RegistryQuery => ({
  ...(role !== undefined && { role }),
  ...(service !== undefined && { service })
})

/** Filters of the service that is asked for. @throws InvalidPayloadError where none is */
const isWanted = (row: PeerRow, { service, tag, healthy }: LookupQuery): boolean => {
  if (tag === undefined && healthy !== true) return true
  if (service === undefined) throw new InvalidPayloadError('a tag and health are those of a service: name it')
  return healthy === true ? offersHealthy(row, service, tag) : offers(row, service, tag)
}

/** A page of the own replica, in the order of the keys. A peer that is no member gives no row. */
export async function lookupHere(source: RowSource, query: LookupQuery): Promise<LookupView> {
  const { registry } = source
  const limit = limitOf(query)
  const connections = connectionsOf(source.trust)
  const member = query.peer === undefined ? undefined : findMember(registry, query.peer)
  const rows: PeerRow[] = []
  if (query.peer !== undefined && member === undefined) return { rows, next: null }
  const filters = { ...filtersOf(query), ...(member !== undefined && { publicKey: member.publicKey }) }
  let after = cursorOf(query)
  do {
    const page = registry.lookup({ ...filters, ...(after !== undefined && { after }), limit: limit - rows.length })
    for (const { publicKey } of page.rows) {
      const found = registry.replica.state.member(publicKey)
      if (found === undefined) continue
      // As it is shown: what this node sees itself may be newer than what a registry says.
      if (query.state !== undefined && shownState(source, publicKey, connections) !== query.state) continue
      const row = memberRow(source, found, connections)
      if (isWanted(row, query)) rows.push(row)
    }
    after = page.next
    // A state that few are in is looked for in all of a large network.
    await setImmediate()
  } while (after !== undefined && rows.length < limit)
  return { rows, next: after === undefined ? null : peerIdText(after) }
}

/**
 * The same as the registry that holds the lease sees it, asked over the wire. Who is a member the own replica judges.
 * @throws UnavailableError without a session, and what the registry refuses with
 */
export async function lookupRemote(
  network: NetworkNode,
  source: RowSource,
  query: LookupQuery,
  signal: AbortSignal
): Promise<LookupView & { view: ViewOrigin }> {
  const { registry, session } = network
  if (session === undefined) throw withoutSession(network)
  const { publicKey, connection } = session.peer
  const options = { networkId: registry.networkId, limits: network.limits, signal }
  const page = await startTrace('lookup', {}, () => lookup(connection, remoteQuery(network, query), options))
  registry.liveness.notes.served(publicKey)
  const connections = connectionsOf(source.trust)
  const rows = page.rows.flatMap((row) => {
    const member = provenMember(network, row)
    return member === undefined ? [] : [asTold(memberRow(source, member, connections), row, network)]
  })
  const { epoch, n } = registry.replica.head
  const view = { ...refOf(registry, publicKey), epoch, head: n, ageMs: wholeMs(page.replicaAgeMs) }
  return {
    view,
    rows: rows.filter((row) => isWanted(row, query)),
    next: page.next === undefined ? null : peerIdText(page.next)
  }
}

const withoutSession = ({ registry, trouble }: NetworkNode): UnavailableError => {
  if (registry.root !== undefined) {
    return new UnavailableError('this process is the root: nobody knows more, leave --remote out', 60_000)
  }
  const why = trouble === undefined ? '' : ` (${trouble.message})`
  return new UnavailableError(
    `no registry holds the lease of this node${why}: leave --remote out for its own replica`,
    5_000
  )
}

const remoteQuery = ({ registry }: NetworkNode, query: LookupQuery): RegistryQuery => {
  const after = cursorOf(query)
  return {
    ...filtersOf(query),
    ...peerOf(registry, query),
    ...(query.state !== undefined && { state: query.state }),
    ...(after !== undefined && { after }),
    limit: limitOf(query)
  }
}

/** A name that is not known here is asked for as it is: the registry may know more. */
const peerOf = (registry: NetworkNode['registry'], { peer }: LookupQuery): RegistryQuery => {
  if (peer === undefined) return {}
  const publicKey = keyOfPeerId(peer) ?? findMember(registry, peer)?.publicKey
  return publicKey === undefined ? { name: peer } : { publicKey }
}

/** undefined: no entry that counts here proves it. */
const provenMember = ({ registry }: NetworkNode, { publicKey, admit }: RemoteRow): RowMember | undefined => {
  const { replica } = registry
  const member = replica.state.member(publicKey)
  if (member !== undefined) return member
  try {
    return replica.verifyShown(admit, undefined, publicKey)
  } catch {
    return undefined
  }
}

const asTold = (row: PeerRow, { record, state, heardMs }: RemoteRow, { registry, session }: NetworkNode): PeerRow => {
  const value = record?.value
  const addresses = value?.addrs.map((address) => withPeer(address, row.peerId)) ?? []
  return {
    ...row,
    state,
    reason: row.state === state ? row.reason : null,
    stateSinceMs: row.state === state ? row.stateSinceMs : null,
    stateSource: session === undefined ? null : refOf(registry, session.peer.publicKey),
    seenAgeMs: wholeMs(heardMs),
    ...(value !== undefined && {
      ...recordFields(value),
      addresses,
      address: row.direction === null ? (addresses[0] ?? null) : row.address,
      registry: value.registryKey === undefined ? null : refOf(registry, value.registryKey)
    })
  }
}
