import { join } from 'node:path'
import { type Duplex, duplexPair } from 'node:stream'
import { culpritOf } from '../../protocols/engine/culprits.ts'
import type { Forward } from '../../protocols/forward/forward.ts'
import { type ForwardServerInit, LiveForwards } from '../../protocols/forward/index.ts'
import type { Registry } from '../../registry/registry.ts'
import { either, onAbort } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { NotMemberError } from '../../runtime/errors.ts'
import type { NodeContext } from '../node-context.ts'
import { Caller } from './caller.ts'
import { type ExposedService, ExposedServices } from './exposed-services.ts'
import type { Called, ForwardOptions, ForwardParts, ListenOptions, OpenedForward } from './forwards.ts'
import { type GateInit, notExposed, refusalOf, wayTo } from './gate.ts'
import { ForwardListener } from './listener.ts'
import { loopbackParts } from './target.ts'

/** Services of this node that members may call, and calls of theirs. */
export class NodeForwards implements ForwardParts {
  readonly live: LiveForwards
  readonly #node: NodeContext
  readonly #exposed: ExposedServices
  readonly #caller: Caller
  readonly #listeners = new Set<ForwardListener>()
  readonly #announcements = new Map<string, Disposable>()

  constructor(node: NodeContext) {
    const { config, clock } = node
    this.#node = node
    this.#exposed = new ExposedServices({
      dataFolder: config.paths.data,
      control: join(config.paths.runtime, `${config.name}.sock`),
      configured: () => config.services.flatMap(({ name, expose: to }) => (to === undefined ? [] : [{ name, to }]))
    })
    this.live = new LiveForwards({
      limits: config.protocols.forward,
      clock,
      onExceeded: (limit, connection) => node.network?.trust.culprits.exceeded(limit, culpritOf(connection))
    })
    this.#caller = new Caller(node, this.live)
    for (const { name } of this.#exposed.list()) this.#announce(name)
    for (const event of ['entries', 'ended'] as const) node.events.listen(event, () => this.recheck())
    node.signal.addEventListener('abort', () => this.#stop())
  }

  get exposed(): readonly ExposedService[] {
    return this.#exposed.list()
  }

  get listeners(): readonly ForwardListener[] {
    return [...this.#listeners]
  }

  expose(name: string, to: string): ExposedService {
    const service = this.#exposed.add(name, to)
    this.#announce(name)
    this.#node.changed()
    return service
  }

  unexpose(name: string): ExposedService | undefined {
    const service = this.#exposed.remove(name)
    if (service === undefined) return undefined
    this.#announcements.get(name)?.[Symbol.dispose]()
    this.#announcements.delete(name)
    this.live.recheck((forward) =>
      forward.direction === 'in' && forward.service === name ? new Error(`${name} is not exposed any more`) : undefined
    )
    this.#node.changed()
    return service
  }

  async call(called: Called, { signal }: ForwardOptions = {}): Promise<Duplex> {
    const [ours, theirs] = duplexPair()
    // A side that is destroyed looks to the other one as if it had sent all.
    theirs.once('close', () => {
      if (!(theirs.readableEnded && theirs.writableFinished)) ours.destroy()
    })
    await this.join(called, ours, signal)
    return theirs
  }

  async open(called: Called, signal: AbortSignal): Promise<OpenedForward> {
    return await this.#caller.open(called, either(signal, this.#node.signal))
  }

  /** Joins a socket to a service. Resolves when bytes go. */
  async join(called: Called, socket: Duplex, signal: AbortSignal = this.#node.signal): Promise<Forward> {
    return await this.#caller.join(called, socket, either(signal, this.#node.signal))
  }

  async listen(
    called: Called,
    { at = '0', signal, onFailed = () => {} }: ListenOptions = {}
  ): Promise<ForwardListener> {
    const over = either(this.#node.signal, signal)
    over.throwIfAborted()
    this.#caller.checkPeer(called)
    const { ofListener: most, connectMs: waitMs } = this.#node.config.protocols.forward
    const listener = await ForwardListener.open({
      ...called,
      ...loopbackParts(at),
      most,
      waitMs,
      join: (socket, closing) => this.join(called, socket, closing),
      onFailed
    })
    this.#listeners.add(listener)
    const stop = onAbort(over, () => inBackground(listener[Symbol.asyncDispose](), 'ending a listener'))
    const onClosed = (): void => {
      stop?.[Symbol.dispose]()
      this.#listeners.delete(listener)
    }
    inBackground(listener.closed.then(onClosed), 'ending a listener')
    return listener
  }

  /** The parts that the protocol's server is made with. */
  served(registry: Registry): Pick<ForwardServerInit, 'networkId' | 'live' | 'find'> {
    const gate = this.#gate(registry)
    return {
      networkId: registry.networkId,
      live: this.live,
      find: (publicKey, service) => wayTo(gate, publicKey, service)
    }
  }

  /** Tells the others of it, unless a service of that name is announced with its port already, or the record has no room. */
  #announce(name: string): void {
    const { announced, logging } = this.#node
    if (this.#announcements.has(name) || announced.offers().some(({ service }) => service.name === name)) return
    try {
      this.#announcements.set(name, announced.announce({ name }))
    } catch (error) {
      const fields = { service: name, error: reasonOf(error) }
      logging.logger.warn(fields, 'a service is exposed and cannot be announced: it is called by the name of this node')
    }
  }

  #gate(registry: Registry): GateInit {
    return { registry, self: this.#node.key.publicKey, exposed: this.#exposed }
  }

  /** Ends what is not allowed any more: the policy, a member, or the configuration has changed. */
  recheck(): void {
    const { network } = this.#node
    if (network === undefined) return
    const { registry } = network
    const gate = this.#gate(registry)
    this.live.recheck(({ direction, publicKey, service }) => {
      if (direction === 'in') return refusalOf(gate, publicKey, service) ?? notExposed(gate, service)
      return registry.replica.isMember(publicKey)
        ? undefined
        : new NotMemberError('the other side is no member any more')
    })
  }

  #stop(): void {
    this.live.recheck(() => new Error('this node stops'))
  }
}
