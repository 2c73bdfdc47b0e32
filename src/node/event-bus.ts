import { TypedEventEmitter } from 'main-event'
import type { ConnectionTrust } from '../protocols/engine/trust/connection-trust.ts'
import type { RegistryEvents } from '../registry/events.ts'
import type { Registry } from '../registry/registry.ts'
import { onAbort } from '../runtime/abort.ts'

/** All that a process tells those who look: what its registry tells, and more. */
export interface NodeEvents extends RegistryEvents {
  /** Something that a view shows may be different. */
  changed: CustomEvent<void>
  /** A connection to a member was proved, or closed. */
  connection: CustomEvent<{ publicKey: Uint8Array }>
}

const registryEvents: Readonly<Record<keyof RegistryEvents, true>> = {
  final: true,
  pending: true,
  rejected: true,
  offered: true,
  queued: true,
  alarm: true,
  entries: true,
  checkpoint: true,
  record: true,
  hint: true,
  pulse: true,
  admitted: true,
  happened: true,
  documents: true,
  ended: true
}

/** The one place where those who look at a process listen, before its network was found and after. */
export class EventBus {
  readonly #target = new TypedEventEmitter<NodeEvents>()

  /** Returns how to stop. */
  listen<K extends keyof NodeEvents>(type: K, listener: (detail: NodeEvents[K]['detail']) => void): () => void {
    const onEvent = ({ detail }: NodeEvents[K]): void => listener(detail)
    this.#target.addEventListener(type, onEvent)
    return () => this.#target.removeEventListener(type, onEvent)
  }

  tell<K extends keyof NodeEvents>(type: K, detail?: NodeEvents[K]['detail']): void {
    if (this.#target.listenerCount(type) > 0) this.#target.safeDispatchEvent(type, { detail })
  }

  /** Tells from now on what this registry and these connections tell. */
  follow({ events }: Pick<Registry, 'events'>, trust: Pick<ConnectionTrust, 'onMember' | 'onGone'>): void {
    for (const type of Object.keys(registryEvents).filter(isRegistryEvent))
      events.addEventListener(type, ({ detail }: CustomEvent) => this.tell(type, detail))
    trust.onMember((_, { publicKey }) => this.tell('connection', { publicKey }))
    trust.onGone((_, { publicKey }) => this.tell('connection', { publicKey }))
  }

  /** Resolves when the condition holds; it is looked at now and after every change. Rejects with the signal's reason. */
  async until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const look = (): void => {
      try {
        if (condition()) resolve()
      } catch (error) {
        // Its own failure, and not that of the others who listen.
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    }
    const stop = this.listen('changed', look)
    using _ = onAbort(signal, reject)
    try {
      look()
      await promise
    } finally {
      stop()
    }
  }
}

const isRegistryEvent = (type: string): type is keyof RegistryEvents => type in registryEvents
