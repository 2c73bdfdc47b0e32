import { withReplica } from '../../../registry/log/epochs/new-epoch.ts'
import type { Replica } from '../../../registry/log/replica.ts'
import type { RootLease } from '../../../registry/log/root-log/root-log.ts'
import { metaOf } from '../../../registry/store/node-values.ts'
import { UnavailableError } from '../../../runtime/errors.ts'
import { ownStore } from '../../config/field-types/root-store-field.ts'
import { type LocalLog, leaveStore, ownAgain } from './log-place.ts'
import { openEngine } from './open-engine.ts'
import type { SharedRootLog } from './shared-root-log.ts'
import { takeLog } from './take-log.ts'

/** For as long as it takes to begin anew after the move. */
const leaseMs = 10_000

/** A lease of the log in the database to which it has moved. */
export interface HeldLease {
  readonly lease: RootLease
  readonly networkId: Uint8Array
}

export interface Move {
  /** Place to which the log goes, as `root.store` has it. */
  readonly to: string
  /** PeerId of the root, as text. */
  readonly holder: string
  /** Does what is left to do while the lease is held. */
  readonly settle?: (engine: SharedRootLog, lease: RootLease, replica: Replica) => Promise<void>
}

/**
 * Moves the log of the root elsewhere while nobody else has its store open. Gives the lease in the new database; undefined: the log is in
 * the store of the root now. Broken off anywhere, or refused, one place has it still: the next start, or the next move, goes on.
 * @throws UnavailableError with the reason why it has not moved
 */
export async function moveLog(path: string, move: Move): Promise<HeldLease | undefined> {
  return await withReplica({ path }, async (replica) => {
    const local = { replica, meta: metaOf(replica.ledger.meta, replica.ledger) }
    return move.to === ownStore ? await takeBack(local, move) : await takeThere(local, move)
  })
}

async function takeBack(local: LocalLog, { to, holder }: Move): Promise<undefined> {
  const fault = await leaveStore(local, holder, to)
  if (fault !== undefined) throw notMoved(fault)
  await ownAgain(local)
}

async function takeThere(local: LocalLog, { to, holder, settle }: Move): Promise<HeldLease> {
  const { networkId } = local.replica
  await using engine = openEngine({ store: to, networkId, leaseMs })
  const { lease, fault } = await takeLog(local, { engine, store: to, holder })
  if (lease === undefined) throw notMoved(fault ?? 'another process has the lease there, or another history is there')
  await settle?.(engine, lease, local.replica)
  return { lease, networkId }
}

const notMoved = (fault: string): UnavailableError => new UnavailableError(`the log has not moved: ${fault}`, 0)
