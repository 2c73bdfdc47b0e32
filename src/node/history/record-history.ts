import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import type { Happened } from '../../registry/history/history.ts'
import { restarted } from '../../registry/liveness/member-state.ts'
import { type State, stateOf } from '../../registry/liveness/states.ts'
import type { Registry } from '../../registry/registry.ts'
import { Throttle } from '../../runtime/throttle.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { connectionsOf, shownState } from '../views/member-rows.ts'
import { rowSourceOf } from '../views/row-source.ts'

/** Changes of one member within it are one. */
const lookMs = 100
/** Members looked at without a pause. */
const membersPerLook = 500

/** Remembers the states of members as they are shown here, who came and went, the alarms and the phases of this node. Gives how to stop. */
export const recordHistory = (node: NodeContext): ((reason: string) => void) => {
  const recorder = new Recorder(node)
  return (reason) => recorder.stop(reason)
}

class Recorder {
  readonly #node: NodeContext
  readonly #stops: (() => void)[]
  readonly #looking: Throttle
  /** Members that may be different by now. */
  readonly #asked = new Map<string, Uint8Array>()
  /** State of each member as it was remembered last. */
  readonly #states = new Map<string, State>()
  /** Registry that this is remembered in. */
  #registry: Registry | undefined
  #phase: string | undefined

  constructor(node: NodeContext) {
    const { events } = node
    this.#node = node
    this.#looking = new Throttle(() => this.#look(), lookMs)
    this.#stops = [
      events.listen('changed', () => this.#begin()),
      events.listen('hint', ({ hint }) => this.#ask(hint.publicKey)),
      events.listen('record', ({ record }) => this.#ask(record.value.publicKey)),
      events.listen('connection', ({ publicKey }) => this.#ask(publicKey)),
      events.listen('admitted', ({ publicKey }) => this.#add({ kind: 'admitted', publicKey, reason: '' })),
      events.listen('ended', ({ publicKey }) => this.#ended(publicKey)),
      events.listen('alarm', ({ code, message }) =>
        this.#add({ kind: 'alarm', publicKey: this.#self, reason: `${code}: ${message}` })
      )
    ]
  }

  stop(reason: string): void {
    for (const stop of this.#stops) stop()
    this.#looking.stop()
    this.#addSelf('left', reason)
  }

  get #self(): Uint8Array {
    return this.#node.key.publicKey
  }

  #add(happened: Happened): void {
    this.#begin()
    this.#registry?.history.add(happened)
  }

  #addSelf(state: State, reason: string, atMs?: number): void {
    const publicKey = this.#self
    const when = atMs === undefined ? {} : { atMs }
    this.#registry?.history.add({ kind: 'state', publicKey, state, source: publicKey, reason, ...when })
  }

  /** The store may be another one than before, and this process was not there for a while. */
  #begin(): void {
    const registry = this.#node.network?.registry
    if (registry !== undefined && registry !== this.#registry) this.#beginIn(registry)
    this.#tellPhase()
  }

  #beginIn(registry: Registry): void {
    this.#registry = registry
    this.#states.clear()
    const last = registry.history.states()
    for (const { publicKey, state } of last) {
      const known = state === null ? undefined : stateOf(state)
      if (known !== undefined && registry.replica.isMember(publicKey)) this.#states.set(keyId(publicKey), known)
    }
    const self = last.find(({ publicKey }) => equals(publicKey, this.#self))
    // It was killed: when it last knew the network is about when it last looked.
    const aliveMs = Math.min(registry.replica.timeMs, this.#node.clock.now())
    if (self?.state === 1)
      this.#addSelf('unknown', 'this process ended without a goodbye', Math.max(aliveMs, self.atMs))
    this.#addSelf('online', 'this process started')
  }

  #tellPhase(): void {
    const { name } = this.#node.phases
    if (this.#registry === undefined || name === this.#phase) return
    this.#phase = name
    this.#registry.history.add({ kind: 'phase', publicKey: this.#self, reason: name })
  }

  #ask(publicKey: Uint8Array): void {
    this.#asked.set(keyId(publicKey), publicKey)
    this.#looking.ask()
  }

  #ended(publicKey: Uint8Array): void {
    this.#states.delete(keyId(publicKey))
    this.#add({ kind: 'ended', publicKey, reason: '' })
  }

  #look(): void {
    const { network, isStopping } = this.#node
    if (network === undefined || isStopping) return
    this.#begin()
    const keys = [...this.#asked].slice(0, membersPerLook)
    const source = rowSourceOf(this.#node, network)
    const connections = connectionsOf(network.trust)
    for (const [id, publicKey] of keys) {
      this.#asked.delete(id)
      if (equals(publicKey, this.#self) || !network.registry.replica.isMember(publicKey)) continue
      this.#judge(network, id, publicKey, shownState(source, publicKey, connections))
    }
    if (this.#asked.size > 0) this.#looking.ask()
  }

  #judge({ registry }: NetworkNode, id: string, publicKey: Uint8Array, state: State): void {
    const before = this.#states.get(id)
    const view = registry.liveness.view(publicKey)
    // A start of this process is no change of anybody else.
    if (state === before || (state === 'unknown' && (before === undefined || view.reason === restarted))) return
    this.#states.set(id, state)
    // The view of the registries is overruled by a connection of our own.
    const isOwn = view.state !== state
    const reason = isOwn ? 'connected to this node' : view.reason
    registry.history.add({
      kind: 'state',
      publicKey,
      state,
      before,
      source: isOwn ? this.#self : view.source,
      reason
    })
  }
}
