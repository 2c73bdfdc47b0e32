import { peerIdText } from '../../../identity/keys.ts'
import type { Replica } from '../../../registry/log/replica.ts'
import { isMoved, type RootLease, type RootLogState } from '../../../registry/log/root-log/root-log.ts'
import { type LocalLog, leaveStore, rememberStore } from './log-place.ts'
import type { SharedRootLog } from './shared-root-log.ts'

/** A database that is to keep the log, and the process that is to append there. */
export interface Place {
  readonly engine: SharedRootLog
  /** Address, as `root.store` has it. */
  readonly store: string
  readonly holder: string
}

/** A lease, or the reason why there is none; neither: another process has it. */
export interface Taken {
  readonly lease?: RootLease | undefined
  readonly fault?: string | undefined
}

/**
 * Gets the lease of the log in a database. The root of today, whose log another one keeps, has that give its lease to nobody any more
 * before; where there is no log yet, or it had moved away, it begins with the head of the store.
 */
export async function takeLog(local: LocalLog, { engine, store, holder }: Place): Promise<Taken> {
  const { replica } = local
  const { head, checkpoint } = replica
  const state = await engine.state()
  if (!mayBegin(replica, state)) {
    if (!canFollow(replica, state)) return {}
  } else if (!isRoot(replica, holder) || checkpoint?.value.n !== head.n) {
    return {
      fault: state && isMoved(state.lease) ? `the log has ${state.lease.holder}: name that as root.store` : undefined
    }
  }
  if (!isRoot(replica, holder)) return { lease: await engine.acquire(holder) }
  const fault = await leaveStore(local, holder, store)
  if (fault !== undefined) return { fault }
  // First: once it may have begun there, nothing else begins without asking there.
  await rememberStore(local, store)
  // Two addresses may lead to one database: it was left as well then.
  if (checkpoint === undefined || !mayBegin(replica, await engine.state()))
    return { lease: await engine.acquire(holder) }
  return { lease: await engine.begin(holder, { head, checkpoint: checkpoint.bytes }) }
}

/** There is no log, or it is of an older epoch, or it had moved elsewhere. */
const mayBegin = ({ head }: Replica, state: RootLogState | undefined): boolean =>
  state === undefined || state.head.epoch < head.epoch || isMoved(state.lease)

/** Nobody else brings the log to a database: a candidate may hold less of it. */
const isRoot = ({ state }: Replica, holder: string): boolean => {
  const root = state.rootRegistry()
  return root !== undefined && peerIdText(root.publicKey) === holder
}

/** The database has all that the replica lacks, or lacks what that has. */
const canFollow = ({ head }: Replica, state: RootLogState | undefined): boolean =>
  state !== undefined && state.head.epoch === head.epoch && (state.firstN <= head.n + 1 || state.head.n <= head.n)
