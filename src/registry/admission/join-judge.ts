import { equals } from 'uint8arrays/equals'
import type { SigningKey } from '../../identity/keys.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { InvalidPayloadError, UnavailableError } from '../../runtime/errors.ts'
import type { Root } from '../log/log-writer.ts'
import type { Replica } from '../log/replica.ts'
import type { Signed } from '../objects/envelope.ts'
import type { Grant } from '../objects/grant.ts'
import { checkInviteProof, type Join } from '../objects/join.ts'
import { openReceipt, sealReceipt } from '../objects/receipt.ts'
import { type Invites, nameTaken } from './invites.ts'
import { clockSkewMs, receiptValidMs } from './limits.ts'
import type { RootAbsence } from './root-absence.ts'

/** A replica that lags gets the entry of a fresh invite within moments. */
const unknownInviteRetryMs = 5_000

export interface JoinJudgeInit {
  replica: Replica
  clock: Clock
  /** Signs receipts. */
  nodeKey: SigningKey
  invites: Invites
  absence: RootAbsence
  /** undefined: this registry is not the root, or not any more. */
  root: () => Root | undefined
}

/** Judges a join before the root decides over it, or it is queued: when it was received first, by which invite, whether it may wait. */
export class JoinJudge {
  readonly #init: JoinJudgeInit

  constructor(init: JoinJudgeInit) {
    this.#init = init
  }

  /** When a registry first saw the join: what a receipt of the last day says, or now. */
  receive(join: Signed<Join>, bytes: Uint8Array | undefined): { timeMs: number; receipt?: Uint8Array } {
    const { clock, replica, absence, root, nodeKey } = this.#init
    const now = clock.now()
    if (bytes !== undefined) {
      const { value, signer } = openReceipt(bytes, replica.networkId)
      if (!equals(value.joinHash, join.hash)) throw new InvalidPayloadError('the receipt is of another join request')
      const by = replica.state.registry(signer)
      const isFresh = value.timeMs <= now + clockSkewMs && now - value.timeMs <= receiptValidMs
      const isDated = root() === undefined || absence.mayDate(signer, value.timeMs)
      if (by !== undefined && isFresh && isDated) return { timeMs: value.timeMs, receipt: bytes }
    }
    if (root() !== undefined) return { timeMs: now }
    const receipt = { networkId: replica.networkId, joinHash: join.hash, timeMs: now }
    return { timeMs: now, receipt: sealReceipt(receipt, nodeKey).bytes }
  }

  /** Open invite that the join uses; undefined: it uses none or, at a registry that is not the root, one that is not known here yet. */
  judgeInvite({ value: join }: Signed<Join>, receivedMs: number): Grant | undefined {
    const { invites } = this.#init
    const { grantId } = join
    if (grantId === undefined) return undefined
    checkInviteProof(join)
    const grant = invites.judge(join, grantId, receivedMs)
    const root = this.#init.root()
    if (grant !== undefined || root === undefined) return grant
    // A root that may hold less of the log than others knows no better than they do.
    throw root.refusal ?? invites.ended(grantId)
  }

  /** Only asked before a join is queued: a root that is there knows better. */
  requireQueueable({ name, publicKey, grantId }: Join, grant: Grant | undefined): void {
    if (grantId !== undefined && grant === undefined) {
      throw new UnavailableError(
        'this registry does not know the invite yet, and the root is away: try again, here or at another registry',
        unknownInviteRetryMs
      )
    }
    const holder = this.#init.replica.state.memberByName(name)
    if (holder === undefined || equals(holder.publicKey, publicKey) || grant?.replaces === name) return
    throw nameTaken(name, holder.publicKey)
  }
}
