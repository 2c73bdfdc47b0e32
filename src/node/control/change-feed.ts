import { peerIdText } from '../../identity/keys.ts'
import type { Hint } from '../../registry/liveness/liveness.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import type { NodeRecord } from '../../registry/objects/record.ts'
import { orAborted } from '../../runtime/abort.ts'
import { sleep } from '../../runtime/sleep.ts'
import type { ControlEvent } from '../api/control-api.ts'
import type { PeerState } from '../api/views.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { statusFacts } from '../status/status-facts.ts'
import { judge } from '../status/verdict.ts'
import { connectionsOf, shownState } from '../views/member-rows.ts'
import { rowSourceOf } from '../views/row-source.ts'

/** A burst of changes is told once. */
const settleMs = 50
/** Peers named one by one in a burst; of more than these only the status event tells, and the reader asks for the view. */
const maxPeers = 256

/** Changes since they were last told. */
class Changes {
  readonly #node: NodeContext
  readonly #stops: (() => void)[] = []
  readonly #peers = new Map<string, Uint8Array>()
  readonly #pending = new Set<string>()
  #network: NetworkNode | undefined
  #head = ''
  #something = Promise.withResolvers<void>()

  constructor(node: NodeContext) {
    this.#node = node
    this.#stops.push(node.onChange(this.#touch))
    this.#attach()
    this.#head = this.#headText()
  }

  /** Resolves at the next change, at once when there was one since `take`. */
  get something(): Promise<void> {
    return this.#something.promise
  }

  /** All that is to be told now; nothing is left. */
  take(): ControlEvent[] {
    this.#something = Promise.withResolvers()
    const events: ControlEvent[] = [...this.#headEvents(), ...this.#peerEvents()]
    for (const peerId of this.#pending) events.push({ schemaVersion: 1, type: 'pending', peerId })
    this.#pending.clear()
    const { word } = judge(statusFacts(this.#node))
    events.push({ schemaVersion: 1, type: 'status', word, phase: this.#node.phases.name })
    return events
  }

  stop(): void {
    for (const stop of this.#stops) stop()
  }

  readonly #touch = (): void => {
    this.#attach()
    this.#something.resolve()
  }

  /** The network may be found only while somebody listens. */
  #attach(): void {
    const { network } = this.#node
    if (network === undefined || network === this.#network) return
    this.#network = network
    const { events } = network.registry
    const onHint = ({ detail }: CustomEvent<{ hint: Hint }>): void => this.#peer(detail.hint.publicKey)
    const onRecord = ({ detail }: CustomEvent<{ record: Signed<NodeRecord> }>): void =>
      this.#peer(detail.record.value.publicKey)
    const onPending = ({ detail }: CustomEvent<{ publicKey: Uint8Array }>): void => {
      if (this.#pending.size < maxPeers) this.#pending.add(peerIdText(detail.publicKey))
      this.#something.resolve()
    }
    events.addEventListener('hint', onHint)
    events.addEventListener('record', onRecord)
    events.addEventListener('pending', onPending)
    events.addEventListener('alarm', this.#touch)
    this.#stops.push(
      () => {
        events.removeEventListener('hint', onHint)
        events.removeEventListener('record', onRecord)
        events.removeEventListener('pending', onPending)
        events.removeEventListener('alarm', this.#touch)
      },
      network.trust.onMember((_, { publicKey }) => this.#peer(publicKey)),
      network.trust.onGone((_, { publicKey }) => this.#peer(publicKey))
    )
  }

  #peer(publicKey: Uint8Array): void {
    if (this.#peers.size < maxPeers) this.#peers.set(peerIdText(publicKey), publicKey)
    this.#something.resolve()
  }

  #headText(): string {
    if (this.#network === undefined) return ''
    const { epoch, n } = this.#network.registry.replica.head
    return `${epoch}:${n}`
  }

  #headEvents(): ControlEvent[] {
    const text = this.#headText()
    if (text === this.#head || this.#network === undefined) return []
    this.#head = text
    const { epoch, n } = this.#network.registry.replica.head
    return [{ schemaVersion: 1, type: 'head', epoch, head: n }]
  }

  #peerEvents(): ControlEvent[] {
    if (this.#network === undefined || this.#peers.size === 0) return []
    const source = rowSourceOf(this.#node, this.#network)
    const connections = connectionsOf(this.#network.trust)
    const events = [...this.#peers].map(([peerId, publicKey]): ControlEvent => {
      const state: PeerState = shownState(source, publicKey, connections)
      return { schemaVersion: 1, type: 'peer', peerId, state }
    })
    this.#peers.clear()
    return events
  }
}

/** Tells what changes from now on, burst by burst, until the signal fires or the node stops. Nothing is held for a slow reader. */
export async function* changeFeed(node: NodeContext, signal?: AbortSignal): AsyncGenerator<ControlEvent> {
  const over = signal === undefined ? node.signal : AbortSignal.any([signal, node.signal])
  const changes = new Changes(node)
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
