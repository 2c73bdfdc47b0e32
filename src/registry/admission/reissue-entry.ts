import type { TypedEventTarget } from 'main-event'
import { equals } from 'uint8arrays/equals'
import { peerIdText } from '../../identity/keys.ts'
import {
  InvalidPayloadError,
  NotOperatorError,
  PendingError,
  RevokedError,
  UnavailableError
} from '../../runtime/errors.ts'
import type { JoinEvents } from '../events.ts'
import type { Root } from '../log/log-writer.ts'
import type { Replica } from '../log/replica.ts'
import { openProofsAsync } from '../log/state/proofs.ts'
import { type Admit, type LogEntry, openEntryAsync, type Revoke } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'
import { openJoin } from '../objects/join.ts'
import type { OfferedEntry, OfferedRevokes } from './offered-revokes.ts'
import type { PendingJoins } from './pending-joins.ts'

export interface ReissueComponents {
  replica: Replica
  pending: PendingJoins
  offered: OfferedRevokes
  events: TypedEventTarget<JoinEvents>
  /** There at the root. */
  root: Root | undefined
}

const nothing = { entry: new Uint8Array(0) }

/**
 * Takes in an entry that the log does not have and should: a revoke that the authority signed, which is entered at once, or an entry that
 * a newer epoch made void. Nothing proves when a void one was signed, and its key may have been stolen since: it waits for the operator's
 * word. Gives the entry that came of it. `from`: who hands it over.
 *
 * @throws InvalidPayloadError for an entry that is neither; UnavailableError for a void one where there is no root
 * @throws PendingError for one that waits for the operator
 */
export async function reissueEntry(
  bytes: Uint8Array,
  components: ReissueComponents,
  from?: Uint8Array
): Promise<{ entry: Uint8Array }> {
  const { replica, root } = components
  const entry = await openEntryAsync(bytes, replica.networkId)
  const { value, signer } = entry
  const { keys } = replica.state
  if (value.kind === 'revoke' && equals(signer, keys.authorityKey)) {
    await replica.authorityRevocations.enforce(bytes)
    // In force here, and told to whoever syncs: from one to the other it comes to the root.
    return root === undefined ? nothing : await revoke(root, replica, value.body)
  }
  const isVoid = keys.isKeyOf(value.epoch, signer) && !keys.isValidAt(value.epoch, value.n)
  if (!isVoid) throw new InvalidPayloadError('the entry is not one that a newer epoch made void')
  if (root === undefined) throw new UnavailableError('this registry is not the root: hand it over there', 1000)
  if (value.kind === 'revoke' || value.kind === 'end') return await offer(components, entry, value, from)
  if (value.kind !== 'admit') return nothing
  await openProofsAsync(value)
  return await waitForOperator(components, value.body, from)
}

async function revoke(root: Root, { state }: Replica, body: Revoke): Promise<{ entry: Uint8Array }> {
  const { publicKey } = body
  // The key of the root itself is for the next root to enter.
  if (state.revoked(publicKey) !== undefined || equals(publicKey, root.publicKey)) return nothing
  try {
    const [entry] = await root.append([{ kind: 'revoke', body }])
    return { entry: entry?.bytes ?? nothing.entry }
  } catch (error) {
    // It came from two sides at once; or two operators have to enter it, and it is in force until they do.
    if (error instanceof RevokedError || error instanceof NotOperatorError) return nothing
    throw error
  }
}

async function offer(
  { replica, root, offered, events }: ReissueComponents,
  entry: Signed<LogEntry>,
  value: OfferedEntry,
  from: Uint8Array | undefined
): Promise<{ entry: Uint8Array }> {
  const { kind, body } = value
  const { publicKey } = body
  const isRoot = root !== undefined && equals(publicKey, root.publicKey)
  if (isRoot || replica.state.revoked(publicKey) !== undefined) return nothing
  if (kind === 'end' && replica.state.member(publicKey) === undefined) return nothing
  if (await offered.add(entry, value, from))
    events.dispatchEvent(new CustomEvent('offered', { detail: { publicKey, kind } }))
  throw new PendingError(`the ${kind} is void: it waits for the operator of the root`)
}

async function waitForOperator(
  { replica, pending }: ReissueComponents,
  admit: Admit,
  from: Uint8Array | undefined
): Promise<{ entry: Uint8Array }> {
  const { publicKey, join, receipt } = admit
  const isDecided = replica.state.isRevoked(publicKey) || replica.state.member(publicKey) !== undefined
  if (isDecided || join === undefined) return nothing
  pending.refuseRejected(publicKey)
  // All that one hands over count as of one asker, and give way before those of others.
  await pending.add(openJoin(join, replica.networkId), receipt, from && peerIdText(from))
  throw new PendingError('the admission is void: it waits for the operator of the root')
}
