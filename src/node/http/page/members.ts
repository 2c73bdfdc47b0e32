import type { PeerRow, PeerState, PeersView } from '../../api/views.ts'
import { byId, facts, inputById, make, numberCell, row } from './dom.ts'
import { isFound, nameOf, rttText, searchTextOf, spanText, timeText } from './words.ts'

const stateCell = (state: PeerState): HTMLElement => make('td', `state ${state}`, state)

/** The list of all members, and the facts about the one that is chosen. */
export class Members {
  readonly #onSelect: (peerId: string) => void
  #peers: readonly PeerRow[] = []
  readonly #rows = new Map<string, HTMLElement>()
  #selected: string | undefined

  constructor(onSelect: (peerId: string) => void) {
    this.#onSelect = onSelect
    inputById('filter').addEventListener('input', () => this.#filter())
  }

  show(view: PeersView): void {
    this.#peers = view.peers
    this.#rows.clear()
    for (const peer of view.peers) this.#rows.set(peer.peerId, this.#rowOf(peer))
    byId('members').replaceChildren(...this.#rows.values())
    this.#filter()
    this.select(this.#selected)
  }

  setState(peerId: string, state: PeerState): void {
    this.#rows.get(peerId)?.children[1]?.replaceWith(stateCell(state))
  }

  select(peerId: string | undefined): void {
    this.#selected = peerId
    for (const [id, each] of this.#rows) each.setAttribute('aria-selected', String(id === peerId))
    const peer = this.#peers.find((each) => each.peerId === peerId)
    byId('details').replaceChildren(...(peer === undefined ? [] : detailsOf(peer)))
  }

  #rowOf(peer: PeerRow): HTMLElement {
    const choose = make('button', 'choose', nameOf(peer))
    choose.addEventListener('click', () => this.#onSelect(peer.peerId))
    const through = peer.registry === null ? '' : nameOf(peer.registry)
    return row(choose, stateCell(peer.state), peer.role ?? '', through, numberCell(rttText(peer.rttMs)))
  }

  #filter(): void {
    const search = inputById('filter').value.trim()
    let shown = 0
    for (const peer of this.#peers) {
      const isShown = search === '' || isFound(searchTextOf(peer), search)
      this.#rows.get(peer.peerId)?.toggleAttribute('hidden', !isShown)
      if (isShown) shown++
    }
    const online = this.#peers.filter(({ state }) => state === 'online').length
    byId('counts').textContent = `${online} of ${this.#peers.length} online${search === '' ? '' : `, ${shown} shown`}`
  }
}

const detailsOf = (peer: PeerRow): Node[] => [
  make('h2', '', nameOf(peer), peer.self ? ' (this node)' : ''),
  make(
    'dl',
    '',
    ...facts([
      ['State', `${peer.state}${peer.stateSinceMs === null ? '' : ` since ${timeText(peer.stateSinceMs)}`}`],
      ['Why', peer.reason],
      ['Said by', peer.stateSource === null ? null : nameOf(peer.stateSource)],
      ['Role', peer.role],
      ['Through', peer.registry === null ? null : nameOf(peer.registry)],
      ['Connection', peer.direction === null ? 'none of this node' : `${peer.direction}, ${rttText(peer.rttMs)}`],
      ['Heard', peer.seenAgeMs === null ? null : `${spanText(peer.seenAgeMs)} ago`],
      ['Reach', peer.reach],
      ['Learned by', peer.source],
      ['Services', peer.services.map(({ name, port, state }) => `${name}:${port} ${state}`).join(', ')],
      ['Addresses', peer.addresses.join(', ')],
      ['Version', peer.version],
      ['Member until', timeText(peer.membershipExpiresMs)],
      ['Last error', peer.lastError?.message ?? null],
      ['PeerId', peer.peerId]
    ])
  )
]
