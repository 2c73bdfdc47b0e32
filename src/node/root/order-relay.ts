import { peerIdText } from '../../identity/keys.ts'
import type { AdminCall } from '../../protocols/admin/index.ts'
import { RateLimitedError } from '../../protocols/engine/errors.ts'
import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import { Gcra } from '../../protocols/engine/rate-limiter.ts'
import type { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import { openPublish } from '../../registry/documents/signed-publish.ts'
import { openAct } from '../../registry/objects/orders/act.ts'
import { openOrder } from '../../registry/objects/orders/order.ts'
import type { Registry } from '../../registry/registry.ts'
import { NotOperatorError, PublishRefusedError } from '../../runtime/errors.ts'

export interface OrderRelayInit {
  registry: Pick<Registry, 'networkId' | 'replica' | 'root'>
  trust: Pick<ConnectionTrust, 'culprits'>
  limits: ProtocolLimits
}

const all = ''

/**
 * Judges what members bring here for the root. The root counts it as asked by this node, so it must be of somebody whom the root would
 * hear, and leaves a part of what this node may ask to this node.
 */
export class OrderRelay {
  readonly #init: OrderRelayInit
  readonly #ofPeer: Gcra
  readonly #ofAll: Gcra

  constructor(init: OrderRelayInit) {
    this.#init = init
    this.#ofPeer = new Gcra(init.limits.admin.relayedOfPeer)
    this.#ofAll = new Gcra(init.limits.admin.relayed)
  }

  /** @throws RateLimitedError, NotOperatorError, PublishRefusedError, and what opening throws. At the root it takes everything. */
  judge(call: AdminCall, from: Uint8Array): void {
    const { root } = this.#init.registry
    if (root !== undefined && !root.isReplaced) return
    this.#take(peerIdText(from))
    this.#requireAuthor(call)
  }

  #take(peer: string): void {
    const waitMs = this.#ofPeer.take(peer)
    if (waitMs > 0) this.#refuse('relayedOfPeer', peer, waitMs)
    const allWaitMs = this.#ofAll.take(all)
    if (allWaitMs > 0) this.#refuse('relayed', peer, allWaitMs)
  }

  #refuse(limit: string, peer: string, waitMs: number): never {
    this.#init.trust.culprits.exceeded(`admin.${limit}`, { peer })
    throw new RateLimitedError('too much to bring to the root', waitMs)
  }

  #requireAuthor(call: AdminCall): void {
    const { networkId, replica } = this.#init.registry
    if ('document' in call) {
      const { publish } = openPublish(call.document, networkId)
      if (replica.state.mayPublish(publish.publisherKey)) return
      throw new PublishRefusedError(`${peerIdText(publish.publisherKey)} may not publish documents`)
    }
    const signers =
      'acts' in call
        ? call.acts.map((act) => openAct(act, networkId).signed.signer)
        : [openOrder(call.order, networkId).signer]
    for (const signer of signers) this.#requireOperator(signer)
  }

  #requireOperator(signer: Uint8Array): void {
    const { state } = this.#init.registry.replica
    if (state.operator(signer) !== undefined && !state.isRevoked(signer)) return
    throw new NotOperatorError(`${peerIdText(signer)} is no operator of this network`)
  }
}
