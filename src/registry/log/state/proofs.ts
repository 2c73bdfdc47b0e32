import { equals } from 'uint8arrays/equals'
import { sha256 } from '../../../identity/hash.ts'
import { InvalidPayloadError } from '../../../runtime/errors.ts'
import { type Admit, type EntryContent, encodeBody, type LogEntry } from '../../objects/entry.ts'
import { payloadHash, type Signed } from '../../objects/envelope.ts'
import { openForgetRequest } from '../../objects/forget-request.ts'
import { checkInviteProof, checkInviteProofAsync, type Join, openJoin, openJoinAsync } from '../../objects/join.ts'
import { type Order, openOrder, openOrderAsync } from '../../objects/orders/order.ts'
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
  for (const bytes of entry.orders ?? []) requireOrdered(openOrder(bytes, entry.networkId), entry)
  return openCause(entry)
}

function openCause(entry: LogEntry): Proofs {
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
  const orders = await Promise.all((entry.orders ?? []).map((bytes) => openOrderAsync(bytes, entry.networkId)))
  for (const order of orders) requireOrdered(order, entry)
  return entry.kind === 'admit' ? await openAdmissionAsync(entry.body, entry.networkId) : openCause(entry)
}

/** The operator ordered just this. @throws InvalidPayloadError */
function requireOrdered({ value }: Signed<Order>, entry: LogEntry): void {
  const { kind, digest } = orderedIn(entry)
  if (value.kind === kind && equals(value.digest, digest)) return
  throw new InvalidPayloadError(`an order in entry ${entry.n} is for something else`)
}

/** Kind and digest that an order for this entry names. */
export function orderedIn(content: EntryContent & Pick<LogEntry, 'bodyHash'>): Pick<Order, 'kind' | 'digest'> {
  const { kind, body } = encodeBody(content)
  // The root puts the end of the membership beside what the operator has seen.
  const join = content.kind === 'admit' ? content.body.join : undefined
  return { kind, digest: join === undefined ? (content.bodyHash ?? sha256(body)) : payloadHash(join) }
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
