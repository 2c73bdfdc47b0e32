import { peerIdText } from '../../identity/keys.ts'
import { either, orAborted } from '../../runtime/abort.ts'
import { sleep } from '../../runtime/sleep.ts'
import type { ControlEvent } from '../api/control-api.ts'
import type { PeerState } from '../api/views.ts'
import type { NodeContext } from '../node-context.ts'
import { statusFacts } from '../status/status-facts.ts'
import { judge } from '../status/verdict.ts'
import { connectionsOf, shownState } from '../views/member-rows.ts'
import { rowSourceOf } from '../views/row-source.ts'

/** A burst of changes is told once. */
const settleMs = 50
/** Peers named one by one in a burst; of more than these only the status event tells, and the reader asks for the view. */
const maxPeers = 256

/** Changes since the last that was told. */
class Burst {
  readonly #node: NodeContext
  readonly #stops: (() => void)[]
  readonly #peers = new Map<string, Uint8Array>()
  readonly #pending = new Set<string>()
  #head: string
  #something = Promise.withResolvers<void>()

  constructor(node: NodeContext) {
    this.#node = node
    this.#head = this.#headText()
    const { events } = node
    this.#stops = [
      events.listen('changed', () => this.#something.resolve()),
      events.listen('alarm', () => this.#something.resolve()),
      events.listen('happened', () => this.#something.resolve()),
      events.listen('hint', ({ hint }) => this.#peer(hint.publicKey)),
      events.listen('record', ({ record }) => this.#peer(record.value.publicKey)),
      events.listen('connection', ({ publicKey }) => this.#peer(publicKey)),
      events.listen('pending', ({ publicKey }) => {
        if (this.#pending.size < maxPeers) this.#pending.add(peerIdText(publicKey))
        this.#something.resolve()
      })
    ]
  }

  /** Resolves at the next change, at once when there was one since `take`. */
  get something(): Promise<void> {
    return this.#something.promise
  }

  /** All that is to be told now; nothing is left. */
  take(): ControlEvent[] {
    this.#something = Promise.withResolvers()
    const events: ControlEvent[] = [...this.#headEvents(), ...this.#peerEvents()]
    for (const peerId of this.#pending) events.push({ schema: 1, type: 'pending', peerId })
    this.#pending.clear()
    const { word } = judge(statusFacts(this.#node))
    events.push({ schema: 1, type: 'status', word, phase: this.#node.phases.name })
    return events
  }

  stop(): void {
    for (const stop of this.#stops) stop()
  }

  #peer(publicKey: Uint8Array): void {
    if (this.#peers.size < maxPeers) this.#peers.set(peerIdText(publicKey), publicKey)
    this.#something.resolve()
  }

  #headText(): string {
    const { network } = this.#node
    if (network === undefined) return ''
    const { epoch, n } = network.registry.replica.head
    return `${epoch}:${n}`
  }

  #headEvents(): ControlEvent[] {
    const text = this.#headText()
    const { network } = this.#node
    if (text === this.#head || network === undefined) return []
    this.#head = text
    const { epoch, n } = network.registry.replica.head
    return [{ schema: 1, type: 'head', epoch, head: n }]
  }

  #peerEvents(): ControlEvent[] {
    const { network } = this.#node
    if (network === undefined || this.#peers.size === 0) return []
    const source = rowSourceOf(this.#node, network)
    const connections = connectionsOf(network.trust)
    const events = [...this.#peers].map(([peerId, publicKey]): ControlEvent => {
      const state: PeerState = shownState(source, publicKey, connections)
      return { schema: 1, type: 'peer', peerId, state }
    })
    this.#peers.clear()
    return events
  }
}

/** Tells what changes from now on, burst by burst, until the signal fires or the node stops. Nothing is held for a slow reader. */
export async function* changeFeed(node: NodeContext, signal?: AbortSignal): AsyncGenerator<ControlEvent> {
  const over = either(signal, node.signal)
  const changes = new Burst(node)
  try {
    while (!over.aborted) {
      await orAborted(changes.something, over).catch(() => {})
      await sleep(settleMs, over).catch(() => {})
      if (over.aborted) return
      yield* changes.take()
    }
  } finally {
    changes.stop()
  }
}
