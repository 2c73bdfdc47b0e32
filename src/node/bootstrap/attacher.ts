import type { Config } from '../config/schema.ts'
import type { NodeContext } from '../node-context.ts'
import type { StopSteps } from '../stop-steps.ts'
import { Attachment, registryOf } from './attachment.ts'
import type { DialFailure } from './dial-race.ts'
import { findNetwork } from './find-network.ts'

/** Node whose configuration follows what its store says of its role, and the port it got. */
export interface AttachedNode extends NodeContext {
  config: Config
}

/** Attaches a node to its network: at the start, or once it was found, and anew where something changes while nothing is open. */
export class Attacher {
  /** Failures in the last round of looking for the network. */
  failures: readonly DialFailure[] = []
  readonly #failure = Promise.withResolvers<never>()
  /** Rejects when something of this process itself breaks. */
  readonly failed = this.#failure.promise
  readonly #node: AttachedNode
  #attachment: Attachment | undefined
  #beginning: Promise<unknown> = Promise.resolve()
  #discovering: Promise<void> | undefined
  #finding: { wake(): void } | undefined

  constructor(node: AttachedNode) {
    this.#node = node
    this.failed.catch(() => {})
  }

  /** undefined: the network was not found yet, or the node begins anew. */
  get attachment(): Attachment | undefined {
    return this.#attachment
  }

  /** The network is looked for, or was. */
  get hasSearched(): boolean {
    return this.#discovering !== undefined
  }

  /** Attaches the node to the network of this genesis. Without one the network is looked for, for as long as it takes; a failure then ends the process. */
  async start(genesis: Uint8Array | undefined): Promise<void> {
    if (genesis !== undefined) {
      await this.#attach(genesis)
      return
    }
    const { logging, peerId: peer, config } = this.#node
    logging.logger.info({ peer, role: config.role }, 'first start: looking for the network')
    this.#discovering = this.#discover().catch((error: Error) => this.#fail(error))
  }

  async #discover(): Promise<void> {
    const genesis = await findNetwork(this.#node, {
      onFailure: (failures) => {
        this.failures = failures
        this.#node.changed()
      },
      onBegun: (discovery) => {
        this.#finding = discovery
      }
    })
    await this.#attach(genesis)
  }

  /** `goesOn`: this process appended, or heard what others hold, a moment ago. */
  async #attach(genesis: Uint8Array, goesOn = false): Promise<void> {
    const node = this.#node
    const registry = await registryOf(node, genesis)
    if (registry.role !== node.config.role) node.config = { ...node.config, role: registry.role }
    this.#attachment = new Attachment(node, { registry, goesOn })
    node.events.follow(registry, this.#attachment.network.trust)
    await this.#attachment.start(node.signal)
    node.changed()
  }

  /** Begins anew, one time after the other. A failure ends the process, whose next start goes on. */
  async beginAnew(reason: string, change: () => void | Promise<void>, steps: StopSteps, isDue: () => boolean) {
    const begun = this.#beginning.then(async () => (isDue() ? await this.#beginAnew(reason, change, steps) : undefined))
    this.#beginning = begun.catch((error: Error) => this.#fail(error))
    await begun
  }

  async #beginAnew(reason: string, change: () => void | Promise<void>, steps: StopSteps): Promise<void> {
    const node = this.#node
    node.signal.throwIfAborted()
    const { attached, config } = node
    const { root, genesis } = attached.registry
    // Whoever knows this node knows the port that it has now.
    node.config = { ...config, listen: { ...config.listen, port: attached.port } }
    const before = this.#attachment
    // A candidate that becomes the root has heard others while it was none.
    const goesOn = root === undefined ? before?.duties.hasHeard === true : root.refusal === undefined
    this.#attachment = undefined
    await before?.stop(reason, false, steps)
    node.signal.throwIfAborted()
    await change()
    await this.#attach(genesis.bytes, goesOn)
  }

  #fail(error: Error): void {
    if (!this.#node.isStopping) this.#failure.reject(error)
  }

  /** Tries again now what was refused or not found. */
  retry(): void {
    this.#finding?.wake()
    this.#attachment?.network.retry()
  }

  /** Something has changed that the duties of a root, or a rotation of the key, may wait for. */
  changed(): void {
    this.#attachment?.followRotation()
    this.#attachment?.duties.changed()
  }

  /** Resolves when nothing begins any more. */
  async settled(): Promise<void> {
    await this.#beginning
    await this.#discovering
  }
}
