import type { PeerRow, PeerState, PeersView } from '../../api/views.ts'
import { byId, facts, inputById, make, numberCell, row, say } from './dom.ts'
import { isFound, nameOf, rttText, searchTextOf, spanText, timeText } from './words.ts'

/** The list of all members, and the facts about the one that is chosen. Rows stay where they are, and with them the focus of the keyboard. */
export class Members {
  readonly #onSelect: (peerId: string) => void
  #peers: readonly PeerRow[] = []
  #rows = new Map<string, HTMLElement>()
  #selected: string | undefined

  constructor(onSelect: (peerId: string) => void) {
    this.#onSelect = onSelect
    inputById('filter').addEventListener('input', () => this.#filter())
  }

  show(view: PeersView): void {
    const before = [...this.#rows.keys()].join()
    this.#peers = view.peers
    this.#rows = new Map(
      view.peers.map((peer) => [peer.peerId, this.#rows.get(peer.peerId) ?? this.#newRow(peer.peerId)])
    )
    for (const peer of view.peers) fill(this.#rows.get(peer.peerId), peer)
    if ([...this.#rows.keys()].join() !== before) byId('members').replaceChildren(...this.#rows.values())
    this.#filter()
    this.select(this.#selected)
  }

  setState(peerId: string, state: PeerState): void {
    const cell = this.#rows.get(peerId)?.children[1]
    const peer = this.#peers.find((each) => each.peerId === peerId)
    if (cell instanceof HTMLElement) showState(cell, state, peer?.maintenance)
  }

  select(peerId: string | undefined): void {
    this.#rows.get(this.#selected ?? '')?.setAttribute('aria-selected', 'false')
    this.#rows.get(peerId ?? '')?.setAttribute('aria-selected', 'true')
    this.#selected = peerId
    const peer = this.#peers.find((each) => each.peerId === peerId)
    byId('details').replaceChildren(...(peer === undefined ? [] : detailsOf(peer)))
  }

  #newRow(peerId: string): HTMLElement {
    const choose = make('button', 'choose')
    choose.addEventListener('click', () => this.#onSelect(peerId))
    return row(choose, '', '', '', numberCell(''))
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
    say(byId('counts'), `${online} of ${this.#peers.length} online${search === '' ? '' : `, ${shown} shown`}`)
  }
}

const showState = (cell: HTMLElement, state: PeerState, maintenance: PeerRow['maintenance'] = null): void => {
  cell.className = `state ${state}`
  say(cell, maintenance === null ? state : `${state}, maintenance`)
}

const fill = (into: HTMLElement | undefined, peer: PeerRow): void => {
  const [name, state, role, through, rtt] = [...(into?.children ?? [])].filter((cell) => cell instanceof HTMLElement)
  const choose = name?.firstElementChild
  if (!(choose instanceof HTMLElement) || state === undefined) return
  say(choose, nameOf(peer))
  showState(state, peer.state, peer.maintenance)
  if (role !== undefined) say(role, peer.role ?? '')
  if (through !== undefined) say(through, peer.registry === null ? '' : nameOf(peer.registry))
  if (rtt !== undefined) say(rtt, rttText(peer.rttUs))
}

const maintenanceText = ({ maintenance }: PeerRow): string | null =>
  maintenance === null ? null : `since ${timeText(maintenance.sinceMs)}: ${maintenance.reason || 'no reason given'}`

const detailsOf = (peer: PeerRow): Node[] => [
  make('h2', '', nameOf(peer), peer.self ? ' (this node)' : ''),
  make(
    'dl',
    '',
    ...facts([
      ['State', `${peer.state}${peer.stateSinceMs === null ? '' : ` since ${timeText(peer.stateSinceMs)}`}`],
      ['Why', peer.reason],
      ['Maintenance', maintenanceText(peer)],
      ['Said by', peer.stateSource === null ? null : nameOf(peer.stateSource)],
      ['Role', peer.role],
      ['Through', peer.registry === null ? null : nameOf(peer.registry)],
      ['Connection', peer.direction === null ? 'none of this node' : `${peer.direction}, ${rttText(peer.rttUs)}`],
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
