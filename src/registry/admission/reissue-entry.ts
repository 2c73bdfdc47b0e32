import { equals } from 'uint8arrays/equals'
import { InvalidPayloadError, PendingError, RevokedError, UnavailableError } from '../../runtime/errors.ts'
import type { Root } from '../log/log-writer.ts'
import type { Replica } from '../log/replica.ts'
import { openProofsAsync } from '../log/state/proofs.ts'
import { type Admit, openEntryAsync } from '../objects/entry.ts'
import { openJoin } from '../objects/join.ts'
import type { PendingJoins } from './pending-joins.ts'

export interface TakeOverComponents {
  replica: Replica
  pending: PendingJoins
  /** There at the root. */
  root: Root | undefined
}

const nothing = { entry: new Uint8Array(0) }

/**
 * Takes in an entry that the log does not have and should: one that a newer epoch made void, or a revoke that the authority signed while
 * there was no root. Revokes are entered at once, and an admission waits for the operator's word. Gives the entry that came of it.
 *
 * @throws InvalidPayloadError for an entry that is neither; UnavailableError for a void one where there is no root
 * @throws PendingError for an admission
 */
export async function takeOver(bytes: Uint8Array, components: TakeOverComponents): Promise<{ entry: Uint8Array }> {
  const { replica, root } = components
  const entry = await openEntryAsync(bytes, replica.networkId)
  const { value, signer } = entry
  const { keys } = replica.state
  const isVoid = keys.isKeyOf(value.epoch, signer) && !keys.isValidAt(value.epoch, value.n)
  const isEnforced = value.kind === 'revoke' && equals(signer, keys.authorityKey)
  if (isEnforced) await replica.emergency.enforce(bytes)
  else if (!isVoid) throw new InvalidPayloadError('the entry is not one that a newer epoch made void')
  // In force here, and told to whoever syncs: from one to the other it comes to the root.
  if (root === undefined && isEnforced) return nothing
  if (root === undefined) throw new UnavailableError('this registry is not the root: hand it over there', 1000)
  if (value.kind === 'revoke') return await revoke(root, replica, value.body)
  if (value.kind !== 'admit') return nothing
  await openProofsAsync(value)
  return await waitForOperator(components, value.body)
}

async function revoke(
  root: Root,
  { state }: Replica,
  body: { publicKey: Uint8Array; reason: string; request?: Uint8Array }
): Promise<{ entry: Uint8Array }> {
  if (state.revoked(body.publicKey) !== undefined) return nothing
  try {
    const [entry] = await root.append([{ kind: 'revoke', body }])
    return { entry: entry?.bytes ?? nothing.entry }
  } catch (error) {
    // It came from two sides at once.
    if (error instanceof RevokedError) return nothing
    throw error
  }
}

async function waitForOperator({ replica, pending }: TakeOverComponents, admit: Admit): Promise<{ entry: Uint8Array }> {
  const { publicKey, join, receipt } = admit
  const isDecided = replica.state.isRevoked(publicKey) || replica.state.member(publicKey) !== undefined
  if (isDecided || join === undefined) return nothing
  pending.refuseRejected(publicKey)
  await pending.add(openJoin(join, replica.networkId), receipt)
  throw new PendingError('the admission is void: it waits for the operator of the root')
}
