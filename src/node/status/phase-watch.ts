import { Throttle } from '../../runtime/throttle.ts'
import type { Attacher } from '../bootstrap/attacher.ts'
import type { NodeContext } from '../node-context.ts'
import { CachedPeers, phaseFacts } from './phase-facts.ts'
import type { PhaseFacts } from './phases.ts'

/** The phase follows what happens within this time; in a burst of records it is judged no more often. */
const judgeMs = 20

/** Looks at a node after each change: moves its phase, and tells that a view may be different. */
export class PhaseWatch {
  readonly #node: NodeContext
  readonly #attacher: Attacher
  readonly #cachedPeers = new CachedPeers()
  readonly #judging = new Throttle(() => this.#judge(), judgeMs)

  constructor(node: NodeContext, attacher: Attacher) {
    this.#node = node
    this.#attacher = attacher
  }

  facts(): PhaseFacts {
    const { config, key, network } = this.#node
    return phaseFacts(config.role, key.publicKey, network, this.#cachedPeers)
  }

  changed(): void {
    this.#judging.ask()
  }

  #judge(): void {
    const { network, phases, events, invites, logging } = this.#node
    // It begins anew: what a view shows is that of before.
    if (network === undefined && phases.name !== 'bootstrap') return
    this.#attacher.changed()
    const before = phases.name
    if (network?.isMember() === true) invites.admitted(network.registry, logging.logger)
    if (phases.update(this.facts())) {
      logging.logger.info({ phase: phases.name, from: before }, `phase ${before} → ${phases.name}`)
    }
    events.tell('changed')
  }

  /** Looks for the last time: later the store may be closed. */
  stop(): void {
    this.#judging.stop()
    this.#judge()
  }
}
