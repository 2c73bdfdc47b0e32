import type { CollectionReturnValue, Core, CytoscapeOptions, ElementDefinition } from 'cytoscape'
import type { TopologyView } from '../../api/control-api.ts'
import type { PeerState } from '../../api/views.ts'
import { byId, make, say } from './dom.ts'
import { graphStyle, states } from './graph-style.ts'
import { type Place, placesOf } from './places.ts'
import { nameOf, rttText } from './words.ts'

// A classic script of its package, loaded by index.html.
declare const cytoscape: (options: CytoscapeOptions) => Core

type Member = TopologyView['nodes'][number]
type Link = TopologyView['links'][number]

/** Hub of the members of whom nobody says a registry. */
const alone = ''
/** Links that are drawn; of more only those of this node: a thousand members tell of sixteen thousand, and nothing is seen in that. */
const mostLinks = 2000

/** Each hub with those who are known through it. Registries, and all who hold a lease, are hubs, and a hub is no leaf of another. */
export const groupsOf = (members: readonly Member[]): Map<string, string[]> => {
  const holders = new Set(members.map(({ registry }) => registry?.peerId))
  const isHub = ({ peerId, role }: Member): boolean => role === 'root' || role === 'secondary' || holders.has(peerId)
  const groups = new Map<string, string[]>(members.filter(isHub).map(({ peerId }) => [peerId, []]))
  for (const member of members) {
    if (isHub(member)) continue
    const hub = member.registry?.peerId ?? alone
    const group = groups.get(hub)
    if (group === undefined) groups.set(hub, [member.peerId])
    else group.push(member.peerId)
  }
  return groups
}

const nodeData = (member: Member) => ({
  id: member.peerId,
  label: nameOf(member),
  role: member.role,
  state: member.state,
  self: member.self ? 1 : 0
})

const kindOf = ({ oneSided, rttUs }: Link): string => (oneSided ? 'one-sided' : rttUs === null ? 'link' : 'own')

const drawnOf = ({ nodes, links }: TopologyView): readonly Link[] => {
  if (links.length <= mostLinks) return links
  const self = nodes.find((member) => member.self)?.peerId
  return links.filter(({ from, to }) => from === self || to === self)
}

/** Says how many connections are not drawn; '' when all are. */
export const leftOutText = (view: TopologyView): string => {
  const all = view.links.length
  const leftOut = all - drawnOf(view).length
  if (leftOut === 0) return ''
  return `${leftOut} of ${all} connections are not drawn: of more than ${mostLinks}, those of this node alone. trustnet topology lists all.`
}

/** An edge for each connection that is drawn, and one for each lease that no connection shows. */
export const edgesOf = (view: TopologyView): ElementDefinition[] => {
  const { nodes } = view
  const drawn = drawnOf(view)
  const joined = new Set(drawn.flatMap(({ from, to }) => [`${from} ${to}`, `${to} ${from}`]))
  const known = new Set(nodes.map(({ peerId }) => peerId))
  const leases = nodes.flatMap(({ peerId, registry }) =>
    registry === null ||
    registry.peerId === peerId ||
    !known.has(registry.peerId) ||
    joined.has(`${peerId} ${registry.peerId}`)
      ? []
      : [edge(`${peerId} lease`, registry.peerId, peerId, 'lease', '')]
  )
  return [
    ...drawn.map((link) => edge(`${link.from} ${link.to}`, link.from, link.to, kindOf(link), rttText(link.rttUs))),
    ...leases
  ]
}

const edge = (id: string, source: string, target: string, kind: string, label: string): ElementDefinition => ({
  group: 'edges',
  data: { id, source, target, kind, label }
})

/** Writes what is not so yet: each change of an element is styled and drawn anew. */
const change = (element: CollectionReturnValue, data: Readonly<Record<string, unknown>>): void => {
  const isSo = Object.entries(data).every(([key, value]) => element.data(key) === value)
  if (element.nonempty() && !isSo) element.data(data)
}

/** The picture of the network. */
export class Graph {
  readonly #onSelect: (peerId: string | undefined) => void
  /** Made when there is somebody to draw: one that has drawn nobody yet draws the first ones in two ways, one after the other. */
  #core: Core | undefined
  /** Everybody and through whom, as text: the picture is laid out anew only when that changes. */
  #shape = ''
  #selected: string | undefined

  constructor(onSelect: (peerId: string | undefined) => void) {
    this.#onSelect = onSelect
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#core?.style(graphStyle()))
    for (const state of states) byId('legend').append(make('li', `state ${state}`, state))
    for (const shape of ['★ root', '◆ secondary', '┄ one side alone tells of it', '▬ pale: lease'])
      byId('legend').append(make('li', '', shape))
  }

  show(view: TopologyView): void {
    this.#core ??= this.#begin()
    const core = this.#core
    const groups = groupsOf(view.nodes)
    const shape = JSON.stringify([...groups])
    const isNew = shape !== this.#shape
    this.#shape = shape
    core.batch(() => (isNew ? rebuild(core, view.nodes, placesOf(groups)) : update(core, view.nodes)))
    // Before the edges are there: a node with a thousand of them tells each one of every part of its own style.
    if (isNew) core.fit(undefined, 30)
    core.batch(() => showEdges(core, edgesOf(view)))
    const leftOut = leftOutText(view)
    byId('graph-note').hidden = leftOut === ''
    say(byId('graph-note'), leftOut)
    if (isNew) this.select(this.#selected)
  }

  setState(peerId: string, state: PeerState): void {
    this.#core?.getElementById(peerId).data('state', state)
  }

  select(peerId: string | undefined): void {
    this.#selected = peerId
    this.#core?.elements().unselect()
    if (peerId !== undefined) this.#core?.getElementById(peerId).select()
  }

  /** After its box has another size, or was hidden. */
  resize(): void {
    this.#core?.resize()
  }

  #begin(): Core {
    const core = cytoscape({
      container: byId('graph'),
      style: graphStyle(),
      minZoom: 0.05,
      maxZoom: 4,
      pixelRatio: 1,
      hideEdgesOnViewport: true,
      textureOnViewport: true
    })
    core.on('tap', (event) => this.#onSelect(event.target === core ? undefined : event.target.id()))
    return core
  }
}

const update = (core: Core, members: readonly Member[]): void => {
  for (const member of members) change(core.getElementById(member.peerId), nodeData(member))
}

const showEdges = (core: Core, wanted: readonly ElementDefinition[]): void => {
  const ids = new Set(wanted.map(({ data }) => data.id))
  core
    .edges()
    .filter((drawn) => !ids.has(drawn.id()))
    .remove()
  const isNew = ({ data }: ElementDefinition): boolean => {
    const there = core.getElementById(data.id ?? '')
    change(there, { kind: data['kind'], label: data['label'] })
    return there.empty()
  }
  core.add(wanted.filter(isNew))
}

const rebuild = (core: Core, members: readonly Member[], places: ReadonlyMap<string, Place>): void => {
  core.elements().remove()
  core.add(
    members.map(
      (member): ElementDefinition => ({
        group: 'nodes',
        data: nodeData(member),
        position: { ...(places.get(member.peerId) ?? { x: 0, y: 0 }) }
      })
    )
  )
}
