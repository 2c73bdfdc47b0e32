import type { SigningKey } from '../../../identity/keys.ts'
import type { Logger } from '../../../runtime/clock-and-logger.ts'
import { type Checkpoint, sealCheckpoint } from '../../objects/checkpoint.ts'
import { type LogEntry, sealEntry } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'
import { sealRenewRequest } from '../../objects/renew-request.ts'
import type { AppendOptions, EntryDraft } from '../append-queue.ts'
import { completed } from '../complete-entry.ts'
import type { Draft } from '../ledger.ts'
import { ownOrders } from '../own-orders.ts'
import type { RootClock } from '../root-clock.ts'

/** Share of its membership at which the root renews itself; it is renewed at half of it, if it runs then. */
const lastShare = 0.05

export interface LogSignerInit {
  networkId: Uint8Array
  logKey: SigningKey
  /** Key of the node that is the root. */
  nodeKey: SigningKey
  operatorKey: SigningKey | undefined
  clock: Pick<RootClock, 'now'>
  logger: Logger
}

/** Seals what the root writes into a draft of the log: entries, its own renewal, and the checkpoint over them. */
export class LogSigner {
  readonly #init: LogSignerInit

  constructor(init: LogSignerInit) {
    this.#init = init
  }

  /** An entry at the next place, with the orders of the operator where it needs some. @throws as a rule of the log that it breaks */
  seal({ state }: Draft, content: EntryDraft, { byOperator = false }: AppendOptions = {}): Signed<LogEntry> {
    const timeMs = this.#init.clock.now()
    // A signed body stays as it is.
    const body = content.orders === undefined ? completed(content, state) : content
    const orders = byOperator === false ? [] : ownOrders(body, state, timeMs, this.#init.operatorKey, byOperator)
    const complete = orders.length === 0 ? body : { ...body, orders }
    state.checkContent(complete, timeMs, undefined)
    const { n, hash, epoch } = state.head
    const position = { networkId: this.#init.networkId, n: n + 1, prevHash: hash, epoch, timeMs }
    return sealEntry({ ...position, ...complete }, this.#init.logKey)
  }

  /**
   * The one who may append is never shut out by time: before anything of a new time is signed, its own membership reaches beyond it.
   * Nobody else could renew it.
   */
  renewSelf(draft: Draft): void {
    const { networkId, nodeKey, clock, logger } = this.#init
    const { publicKey } = nodeKey
    const self = draft.state.member(publicKey)
    const timeMs = clock.now()
    const { membershipMs } = draft.state.policy
    if (self === undefined || self.notAfterMs - timeMs > membershipMs * lastShare) return
    const { notAfterMs } = self
    const request = sealRenewRequest({ networkId, publicKey, notAfterMs }, nodeKey).bytes
    draft.append(this.seal(draft, { kind: 'renew', body: { publicKey, notAfterMs: timeMs + membershipMs, request } }))
    const ended = new Date(notAfterMs).toISOString()
    logger.info(
      { ended },
      `the root has renewed its own membership, which ${notAfterMs < timeMs ? 'had ended' : 'ends'} at ${ended}`
    )
  }

  /** A checkpoint over all that the draft holds. */
  sign(draft: Draft): Signed<Checkpoint> {
    const { state } = draft
    const { epoch, n, hash: headHash } = state.head
    const timeMs = this.#init.clock.now()
    const checkpoint = sealCheckpoint(
      {
        networkId: this.#init.networkId,
        epoch,
        n,
        headHash,
        stateRoot: state.root(),
        rows: state.rows,
        bytes: state.bytes,
        timeMs
      },
      this.#init.logKey
    )
    draft.putCheckpoint(checkpoint)
    return checkpoint
  }
}
