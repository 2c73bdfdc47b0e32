import type { Core, CytoscapeOptions, ElementDefinition } from 'cytoscape'
import type { PeerRow, PeerState, PeersView } from '../../api/views.ts'
import { byId, make } from './dom.ts'
import { graphStyle, states } from './graph-style.ts'
import { type Place, placesOf } from './places.ts'
import { nameOf, rttText } from './words.ts'

// A classic script of its package, loaded by index.html.
declare const cytoscape: (options: CytoscapeOptions) => Core

/** Members of whom nobody says a registry. */
const alone = ''

const isRegistry = (peer: PeerRow): boolean =>
  peer.role === 'root' || peer.role === 'secondary' || peer.role === 'integrated'

/** Each hub with those who are known through it. A hub is a registry that holds a lease; a registry is no leaf of another. */
const groupsOf = (peers: readonly PeerRow[]): Map<string, string[]> => {
  const groups = new Map<string, string[]>()
  for (const peer of peers) if (isRegistry(peer) && peer.role !== 'integrated') groups.set(peer.peerId, [])
  for (const peer of peers) {
    if (groups.has(peer.peerId)) continue
    const hub = peer.registry?.peerId ?? alone
    const group = groups.get(hub)
    if (group === undefined) groups.set(hub, [peer.peerId])
    else group.push(peer.peerId)
  }
  return groups
}

const nodeOf = (peer: PeerRow, place: Place): ElementDefinition => ({
  group: 'nodes',
  data: {
    id: peer.peerId,
    label: nameOf(peer),
    role: peer.role ?? 'external',
    state: peer.state,
    self: peer.self ? 1 : 0
  },
  position: place
})

/** An edge for each lease, and one for each live connection of this node. */
const edgesOf = (peers: readonly PeerRow[], self: string): ElementDefinition[] => {
  const known = new Set(peers.map(({ peerId }) => peerId))
  return peers.flatMap((peer): ElementDefinition[] => {
    const edges: ElementDefinition[] = []
    const hub = peer.registry?.peerId
    if (hub !== undefined && hub !== peer.peerId && known.has(hub)) {
      edges.push({
        group: 'edges',
        data: { id: `${peer.peerId} lease`, source: hub, target: peer.peerId, kind: 'lease', label: '' }
      })
    }
    if (peer.direction !== null && peer.peerId !== self && known.has(self)) {
      edges.push({
        group: 'edges',
        data: { id: `${peer.peerId} own`, source: self, target: peer.peerId, kind: 'own', label: rttText(peer.rttMs) }
      })
    }
    return edges
  })
}

/** The picture of the network. */
export class Graph {
  readonly #core: Core
  /** Everybody and through whom, as text: the picture is laid out anew only when that changes. */
  #shape = ''

  constructor(onSelect: (peerId: string | undefined) => void) {
    this.#core = cytoscape({
      container: byId('graph'),
      style: graphStyle(),
      minZoom: 0.05,
      maxZoom: 4,
      pixelRatio: 1,
      hideEdgesOnViewport: true,
      textureOnViewport: true
    })
    this.#core.on('tap', (event) => onSelect(event.target === this.#core ? undefined : event.target.id()))
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#core.style(graphStyle()))
    for (const state of states) byId('legend').append(make('li', `state ${state}`, state))
    byId('legend').append(make('li', '', '★ root'), make('li', '', '◆ secondary'))
  }

  show(view: PeersView): void {
    const groups = groupsOf(view.peers)
    const edges = edgesOf(view.peers, view.self.peerId)
    const shape = JSON.stringify([...groups])
    this.#core.batch(() => {
      if (shape === this.#shape) this.#update(view.peers)
      else this.#rebuild(view.peers, placesOf(groups))
      this.#core.edges().remove()
      this.#core.add(edges)
    })
    if (shape === this.#shape) return
    this.#shape = shape
    this.#core.fit(undefined, 30)
  }

  setState(peerId: string, state: PeerState): void {
    this.#core.getElementById(peerId).data('state', state)
  }

  select(peerId: string | undefined): void {
    this.#core.elements().unselect()
    if (peerId !== undefined) this.#core.getElementById(peerId).select()
  }

  /** After its box has another size, or was hidden. */
  resize(): void {
    this.#core.resize()
  }

  #update(peers: readonly PeerRow[]): void {
    for (const peer of peers) {
      this.#core.getElementById(peer.peerId).data(nodeOf(peer, { x: 0, y: 0 }).data)
    }
  }

  #rebuild(peers: readonly PeerRow[], places: ReadonlyMap<string, Place>): void {
    this.#core.elements().remove()
    this.#core.add(peers.map((peer) => nodeOf(peer, places.get(peer.peerId) ?? { x: 0, y: 0 })))
  }
}
