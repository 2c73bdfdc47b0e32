import type { SigningKey } from '../../src/identity/keys.ts'
import type { EntryDraft } from '../../src/registry/log/log-writer.ts'
import { entryKinds } from '../../src/registry/objects/entry.ts'
import { type Act, actOf, digestOf } from '../../src/registry/objects/orders/act.ts'
import { type Order, sealOrder } from '../../src/registry/objects/orders/order.ts'
import type { RealNetwork } from './real-network.ts'

/** An entry that the operator with this key orders on a machine of its own. */
export const ordered = (
  network: RealNetwork,
  operator: SigningKey,
  content: EntryDraft,
  changes: Partial<Order> = {}
): Act => signedAct(network, operator, actOf(content), changes)

/** A join that the operator with this key lets in. */
export const approved = (network: RealNetwork, operator: SigningKey, join: Uint8Array): Act =>
  signedAct(network, operator, { kind: entryKinds.admit, body: join })

/** A question that the operator with this key asks: the order names no entry. */
export const asked = (
  network: RealNetwork,
  operator: SigningKey,
  question: Uint8Array,
  changes: Partial<Order> = {}
): Uint8Array => signedAct(network, operator, { kind: 0, body: question }, changes).order

function signedAct(
  { root: { networkId, replica }, clock }: RealNetwork,
  operator: SigningKey,
  act: Omit<Act, 'order'>,
  changes: Partial<Order> = {}
): Act {
  const { epoch, n: seenN } = replica.head
  const told = { networkId, kind: act.kind, digest: digestOf(act), epoch, seenN, timeMs: clock.now(), ...changes }
  return { ...act, order: sealOrder(told, operator).bytes }
}
