import { peerIdText } from '../../identity/keys.ts'
import { isRegistryRole } from '../../identity/role.ts'
import type { TopologyView } from '../api/control-api.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { connectionsOf, mapGently, shownState } from './member-rows.ts'
import { refOf, rttUs } from './refs.ts'
import { rowSourceOf } from './row-source.ts'

type Link = TopologyView['links'][number]

/** Connections that a member can tell of: one that names so many may have more. */
const mostTold = 32

/** Connections of members, as this node sees them and as members told their registries. */
export const topologyView = async (node: NodeContext, network: NetworkNode): Promise<TopologyView> => {
  const { registry } = network
  const source = rowSourceOf(node, network)
  const connections = connectionsOf(network.trust)
  const members = [...registry.replica.state.members()].filter(({ publicKey }) => registry.replica.isMember(publicKey))
  const told = new Map<string, ReadonlySet<string>>([[node.peerId, new Set(connections.keys())]])
  const states = new Map<string, string>()
  const nodes = await mapGently(members, ({ publicKey, name, role }) => {
    const peerId = peerIdText(publicKey)
    const self = peerId === node.peerId
    const connected = registry.liveness.view(publicKey).connected.map(peerIdText)
    if (!self && connected.length > 0) told.set(peerId, new Set(connected))
    const holder = self ? source.leaseHolder : registry.records.read(publicKey)?.registryKey
    const state = self ? 'online' : shownState(source, publicKey, connections)
    states.set(peerId, state)
    return { peerId, name, self, role, state, registry: holder === undefined ? null : refOf(registry, holder) }
  })
  const links = await linksOf(told, states, { self: node.peerId, rttMs: (peerId) => network.rttMs(peerId) })
  return { nodes: nodes.toSorted(byRank), links }
}

const byRank = (a: TopologyView['nodes'][number], b: TopologyView['nodes'][number]): number =>
  Number(isRegistryRole(b.role)) - Number(isRegistryRole(a.role)) || ((a.name ?? '') < (b.name ?? '') ? -1 : 1)

/** Each pair once, of members alone. In a large network there are 100,000 of them: they are made in turns. */
export const linksOf = async (
  told: ReadonlyMap<string, ReadonlySet<string>>,
  states: ReadonlyMap<string, string>,
  { self, rttMs }: { self: string; rttMs: (peerId: string) => number | undefined }
): Promise<Link[]> => {
  const links = new Map<string, Omit<Link, 'oneSided' | 'rttUs'>>()
  await mapGently([...told], ([teller, others]) => {
    for (const other of others) {
      if (!states.has(teller) || !states.has(other) || teller === other) continue
      const [from, to] = teller < other ? [teller, other] : [other, teller]
      const id = `${from} ${to}`
      const link = links.get(id)
      if (link === undefined) links.set(id, { from, to, saidBy: [teller] })
      else link.saidBy.push(teller)
    }
  })
  return await mapGently([...links.values()], ({ from, to, saidBy }) => {
    const silent = saidBy.length > 1 ? undefined : saidBy[0] === from ? to : from
    const other = from === self ? to : to === self ? from : undefined
    return {
      from,
      to,
      saidBy,
      oneSided: silent !== undefined && denies(silent, told, states),
      rttUs: other === undefined ? null : rttUs(rttMs(other))
    }
  })
}

/** It says whom it is connected to, all of it, and is up: so it does not have this connection. */
const denies = (
  peer: string,
  told: ReadonlyMap<string, ReadonlySet<string>>,
  states: ReadonlyMap<string, string>
): boolean => states.get(peer) === 'online' && (told.get(peer)?.size ?? mostTold) < mostTold
