import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import { isRegistryRole, servesRegistry } from '../../identity/role.ts'
import { lookupAll, type RemotePage } from '../../protocols/lookup/index.ts'
import type { Member } from '../../registry/log/state/network-state.ts'
import type { NodeRecord } from '../../registry/objects/record.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { InvalidPayloadError, NotFoundError } from '../../runtime/errors.ts'
import { inWords } from '../../runtime/files/system-error.ts'
import { connectionToMember } from '../actions/connect.ts'
import type { CompareView } from '../api/control-api.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { ageOf, connectionsOf, mapGently, shownState } from './member-rows.ts'
import { requireMember } from './peer-names.ts'
import { refOf, viewAgeMs, wholeMs, withPeer } from './refs.ts'
import { rowSourceOf } from './row-source.ts'

type Row = CompareView['rows'][number]
type Side = Row['sides'][number]
type Source = CompareView['sources'][number]
type Told = Omit<Side, 'source'>

/** A view of the network; none for a source that did not answer. */
interface Viewed {
  readonly source: Source
  readonly rows: ReadonlyMap<string, { readonly publicKey: Uint8Array; readonly told: Told }> | undefined
}

/** Members asked for their view, at most. */
const mostSources = 8

/**
 * Shows where this node and some members see the network differently. Each is asked for all its rows; its records are verified, what it says of states is its word.
 * @throws NotFoundError, InvalidPayloadError
 */
export const compareView = async (
  node: NodeContext,
  network: NetworkNode,
  names: readonly string[],
  signal: AbortSignal
): Promise<CompareView> => {
  const views = await Promise.all(
    sourcesOf(node, network, names).map((member) =>
      member === undefined ? ownView(node, network) : remoteView(node, network, member, signal)
    )
  )
  signal.throwIfAborted()
  const keys = new Map(views.flatMap(({ rows }) => [...(rows ?? [])].map(([id, { publicKey }]) => [id, publicKey])))
  const rows = await mapGently([...keys], ([id, publicKey]) => rowOf(network, publicKey, sidesOf(views, id)))
  return {
    sources: views.map(({ source }) => source),
    compared: keys.size,
    rows: rows.filter(({ differs }) => differs.length > 0).toSorted((a, b) => byName(a, b))
  }
}

const byName = (a: Row, b: Row): number => ((a.name ?? a.peerId) < (b.name ?? b.peerId) ? -1 : 1)

/** `self` is undefined; `root` and `secondary` are those of that role where no member has the name. */
const sourcesOf = (node: NodeContext, { registry }: NetworkNode, names: readonly string[]): (Member | undefined)[] => {
  const found = new Map<string, Member | undefined>()
  const add = (member: Member): unknown =>
    found.set(peerIdText(member.publicKey), peerIdText(member.publicKey) === node.peerId ? undefined : member)
  for (const name of names) {
    const ofRole = [...registry.replica.state.members()].filter(({ role }) => isRegistryRole(role) && role === name)
    if (name === 'self') found.set(node.peerId, undefined)
    else if (ofRole.length > 0 && registry.replica.state.memberByName(name) === undefined) ofRole.forEach(add)
    else if (name === 'secondary' && registry.replica.state.memberByName(name) === undefined)
      throw new NotFoundError('this network has no secondary: leave it out')
    else add(requireMember(registry, name))
  }
  if (found.size < 2) throw new InvalidPayloadError('one view differs from nothing: name two or more, as in root,self')
  if (found.size > mostSources) throw new InvalidPayloadError(`${mostSources} views are compared at most; name some`)
  return [...found.values()]
}

const sidesOf = (views: readonly Viewed[], id: string): Side[] =>
  views.flatMap(({ source: { peerId, name }, rows }) =>
    rows === undefined ? [] : [{ source: { peerId, name }, ...(rows.get(id)?.told ?? absent) }]
  )

const absent: Told = { member: false, role: null, state: null, seenAgeMs: null, seq: null, addresses: [] }

const rowOf = ({ registry }: NetworkNode, publicKey: Uint8Array, sides: Side[]): Row => {
  const known = sides.filter(({ member }) => member)
  const differs: Row['differs'] = []
  if (known.length < sides.length) differs.push('member')
  if (areSeveral(known.map(({ role }) => role))) differs.push('role')
  if (areSeveral(known.map(({ state }) => state))) differs.push('state')
  if (areSeveral(known.map(({ seq }) => seq))) differs.push('record')
  return { ...refOf(registry, publicKey), differs, sides }
}

const areSeveral = (values: readonly unknown[]): boolean => new Set(values).size > 1

const recordOf = (record: NodeRecord | undefined): Pick<Told, 'seq' | 'addresses'> => ({
  seq: record?.seq ?? null,
  addresses: record === undefined ? [] : record.addrs.map((address) => withPeer(address, peerIdText(record.publicKey)))
})

const ownView = async (node: NodeContext, network: NetworkNode): Promise<Viewed> => {
  const { registry } = network
  const rowSource = rowSourceOf(node, network)
  const connections = connectionsOf(network.trust)
  const members = [...registry.replica.state.members()].filter(({ publicKey }) => registry.replica.isMember(publicKey))
  const rows = await mapGently(members, ({ publicKey, role }) => {
    const told: Told = {
      member: true,
      role,
      state: peerIdText(publicKey) === node.peerId ? 'online' : shownState(rowSource, publicKey, connections),
      seenAgeMs: wholeMs(ageOf(registry.liveness.view(publicKey))),
      ...recordOf(registry.records.read(publicKey))
    }
    return [keyId(publicKey), { publicKey, told }] as const
  })
  const source = {
    ...refOf(registry, node.key.publicKey),
    self: true,
    members: rows.length,
    ageMs: wholeMs(viewAgeMs(network)),
    error: null
  }
  return { source, rows: new Map(rows) }
}

const remoteView = async (
  node: NodeContext,
  network: NetworkNode,
  member: Member,
  signal: AbortSignal
): Promise<Viewed> => {
  const { registry, limits } = network
  const source = { ...refOf(registry, member.publicKey), self: false }
  try {
    if (!servesRegistry(member.role)) throw new InvalidPayloadError(`it is ${member.role}, and keeps no records`)
    const connection = await connectionToMember(node, member, signal)
    const rows = new Map<string, { publicKey: Uint8Array; told: Told }>()
    let ageMs = 0
    for await (const page of lookupAll(
      connection,
      { limit: limits.lookup.rows },
      { networkId: registry.networkId, limits, signal }
    )) {
      ageMs = page.replicaAgeMs
      for (const row of page.rows) rows.set(keyId(row.publicKey), { publicKey: row.publicKey, told: toldBy(row) })
    }
    return { source: { ...source, members: rows.size, ageMs, error: null }, rows }
  } catch (error) {
    return { source: { ...source, members: null, ageMs: null, error: inWords(reasonOf(error)) }, rows: undefined }
  }
}

const toldBy = ({ role, state, heardMs, record }: RemotePage['rows'][number]): Told => ({
  member: true,
  role: role ?? null,
  state,
  seenAgeMs: wholeMs(heardMs ?? null),
  ...recordOf(record?.value)
})
