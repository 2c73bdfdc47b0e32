import { equals } from 'uint8arrays/equals'
import { InvalidPayloadError } from '../../../runtime/errors.ts'
import type { Admit, LogEntry } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'
import { openForgetRequest } from '../../objects/forget-request.ts'
import { checkInviteProof, checkInviteProofAsync, type Join, openJoin, openJoinAsync } from '../../objects/join.ts'
import { type JoinReceipt, openReceipt, openReceiptAsync } from '../../objects/receipt.ts'
import { openRenewRequest } from '../../objects/renew-request.ts'
import { openRotation } from '../../objects/rotate.ts'

/** Facts that the envelopes inside an entry prove and only the state can judge. */
export interface Proofs {
  /** End of the membership that a renew request names. */
  readonly renewedNotAfterMs?: number
  /** The membership that a forget request names. */
  readonly endedMembership?: Uint8Array
}

/**
 * Verifies the envelopes inside an entry: that the one it is about wanted it, and by what it was let in. So a root cannot enter
 * anybody who did not ask.
 *
 * @throws InvalidEnvelopeError, InvalidPayloadError, InviteInvalidError, WrongNetworkError
 */
export function openProofs(entry: LogEntry): Proofs {
  const { networkId } = entry
  switch (entry.kind) {
    case 'admit':
      return openAdmission(entry.body, networkId)
    case 'renew': {
      const { publicKey: signer, request } = entry.body
      return { renewedNotAfterMs: openRenewRequest(request, networkId, { signer }).value.notAfterMs }
    }
    case 'end': {
      const { publicKey: signer, request } = entry.body
      if (request === undefined) return {}
      return { endedMembership: openForgetRequest(request, networkId, { signer }).value.membership }
    }
    case 'rotate':
      openRotation(entry.body, networkId)
      return {}
    default:
      return {}
  }
}

/** The same with the signatures of an admission, which has up to three of them, checked side by side in the thread pool. */
export async function openProofsAsync(entry: LogEntry): Promise<Proofs> {
  return entry.kind === 'admit' ? await openAdmissionAsync(entry.body, entry.networkId) : openProofs(entry)
}

function openAdmission(admit: Admit, networkId: Uint8Array): Proofs {
  if (admit.join === undefined) return {}
  const join = openJoin(admit.join, networkId, { signer: admit.publicKey })
  const receipt = admit.receipt === undefined ? undefined : openReceipt(admit.receipt, networkId)
  requireAsked(admit, join, receipt)
  checkInviteProof(join.value)
  return {}
}

async function openAdmissionAsync(admit: Admit, networkId: Uint8Array): Promise<Proofs> {
  if (admit.join === undefined) return {}
  const [join, receipt] = await Promise.all([
    openJoinAsync(admit.join, networkId, { signer: admit.publicKey }),
    admit.receipt === undefined ? undefined : openReceiptAsync(admit.receipt, networkId)
  ])
  requireAsked(admit, join, receipt)
  await checkInviteProofAsync(join.value)
  return {}
}

/** The joiner asked for just this, and the receipt is of that request. @throws InvalidPayloadError */
function requireAsked(admit: Admit, join: Signed<Join>, receipt: Signed<JoinReceipt> | undefined): void {
  if (join.value.name !== admit.name || join.value.role !== admit.role) {
    throw new InvalidPayloadError(`the admission of ${admit.name} is not what the joiner asked for`)
  }
  if (receipt !== undefined && !equals(receipt.value.joinHash, join.hash)) {
    throw new InvalidPayloadError(`the receipt in the admission of ${admit.name} is of another request`)
  }
}
