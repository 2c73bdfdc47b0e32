import { equals } from 'uint8arrays/equals'
import { reasonOf } from '../../runtime/error-message.ts'
import { ForkError, LogMismatchError } from '../../runtime/errors.ts'
import { maxStepMs } from '../../runtime/steady-clock.ts'
import type { Checkpoint } from '../objects/checkpoint.ts'
import type { LogEntry } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'
import { NewerRulesError } from '../objects/policy/understood.ts'
import { delegationKinds, voidAfter } from './epochs/voided-entries.ts'
import { contradiction } from './forks/fork-evidence.ts'
import type { Draft, Ledger } from './ledger.ts'
import { loadStateAt, requireMatch } from './load.ts'
import type { OpenedEntry } from './open-entries.ts'
import { LogKeys } from './state/log-keys.ts'
import type { NetworkState } from './state/network-state.ts'
import { readStoredEntry } from './state/stored-entry.ts'

/** The work that entries which came make. */
interface Plan {
  fresh: readonly OpenedEntry[]
  /** The place below our head where a new epoch branches off. */
  rollbackTo?: { n: number; hash: Uint8Array }
}

/** The entry is from an unknown, voided or older epoch: its sender knows less or more, which is no misbehaviour. */
export class OtherEpochError extends LogMismatchError {}

/** An entry against what is held at position n. Only the key of today's epoch proves two histories: over older ones the authority has decided. */
function doesNotFollow(ledger: Ledger, n: number, entry: Signed<LogEntry>): Error {
  const { keys } = ledger.state
  const { epoch, n: at } = entry.value
  if (epoch === keys.epoch && keys.isOfLog(entry)) return contradiction(ledger, n, entry)
  const message = `entry ${at} is not of the log that is held, and not signed by its key`
  return isOfOtherEpoch(keys, entry) ? new OtherEpochError(message) : new LogMismatchError(message)
}

/** True for an entry of an epoch that is not known here (a newer one, or one that a newer one branched off below), or by a key of one that is. */
const isOfOtherEpoch = (keys: LogKeys, { value, signer }: Signed<LogEntry> | Signed<Checkpoint>): boolean =>
  keys.keyOf(value.epoch) === undefined || keys.isKeyOf(value.epoch, signer)

/** Opens the way for a newer epoch to end a fork. */
const opensEpochAfter = (entry: LogEntry, epoch: number): boolean => entry.kind === 'delegate' && entry.epoch > epoch

/** @throws Contradiction, LogMismatchError */
function planOf(ledger: Ledger, entries: readonly OpenedEntry[]): Plan {
  for (const [index, { entry }] of entries.entries()) {
    const { value } = entry
    const { head } = ledger
    if (value.n === head.n + 1 && equals(value.prevHash, head.hash)) return { fresh: entries.slice(index) }
    if (value.n > head.n + 1) throw new LogMismatchError(`entry ${value.n}, where ${head.n + 1} is due`)
    if (opensEpochAfter(value, head.epoch)) return planRollback(ledger, entries.slice(index), entry)
    if (value.n === head.n + 1) throw doesNotFollow(ledger, head.n, entry)
    const known = ledger.linkHash(value.n)
    if (known !== undefined && !equals(known, entry.hash)) throw doesNotFollow(ledger, value.n, entry)
  }
  return { fresh: [] }
}

/** @throws NeedsSnapshotError when the fork point is out of reach */
function planRollback(ledger: Ledger, fresh: readonly OpenedEntry[], delegate: Signed<LogEntry>): Plan {
  const { n, prevHash } = delegate.value
  const keys = keysAt(ledger, n - 1).afterDelegate(delegate)
  if (!keys.follows(ledger.state.keys)) {
    throw new OtherEpochError(`the delegation of epoch ${delegate.value.epoch} is by an authority of the past`)
  }
  const known = ledger.linkHash(n - 1)
  if (known === undefined || !equals(known, prevHash) || n - 1 < ledger.floor) {
    throw new NeedsSnapshotError(
      `epoch ${delegate.value.epoch} branches off at entry ${n - 1}, which is not held: a snapshot is due`
    )
  }
  return { fresh, rollbackTo: { n: n - 1, hash: known } }
}

/** The log cannot be followed from here: only a snapshot leads on. */
export class NeedsSnapshotError extends OtherEpochError {}

/** The keys as they were at an earlier position. */
function keysAt(ledger: Ledger, n: number): LogKeys {
  let keys = LogKeys.of(ledger.genesis)
  for (const item of ledger.table.ofKinds(...delegationKinds)) {
    const entry = readStoredEntry(item.envelope)
    if (entry.value.n > n) break
    keys = entry.value.kind === 'delegate' ? keys.afterDelegate(entry) : keys.afterAuthority(entry)
  }
  return keys
}

/**
 * Takes in entries that were opened, and the checkpoint that stands on them. Inside `ledger.exclusive`.
 * @throws Contradiction, ForkError, LogMismatchError
 */
export async function follow(
  ledger: Ledger,
  entries: readonly OpenedEntry[],
  checkpoint: Signed<Checkpoint> | undefined
): Promise<number> {
  const { forkedEpoch } = ledger
  if (forkedEpoch !== undefined && !entries.some(({ entry }) => opensEpochAfter(entry.value, forkedEpoch))) {
    throw new ForkError(
      `epoch ${forkedEpoch} has two histories: nothing is followed until the authority opens a new epoch`
    )
  }
  const { fresh, rollbackTo } = planOf(ledger, entries)
  if (fresh.length === 0 && (checkpoint === undefined || !isNews(ledger, checkpoint))) return 0
  const state = rollbackTo === undefined ? undefined : await loadStateAt(ledger.loadInit, rollbackTo.n, rollbackTo.hash)
  await ledger.commit((draft) => {
    if (state !== undefined) draft.replaceState(state, voidAfter(ledger, draft, state.head.n))
    for (const each of fresh) append(draft, each)
    if (checkpoint !== undefined) takeCheckpoint(ledger, draft, checkpoint)
  })
  return fresh.length
}

/** @throws LogMismatchError, NewerRulesError */
function append(draft: Draft, { entry, proofs }: OpenedEntry): void {
  try {
    draft.state.check(entry, proofs)
  } catch (error) {
    if (error instanceof LogMismatchError || error instanceof NewerRulesError) throw error
    const why = reasonOf(error)
    throw new LogMismatchError(`entry ${entry.value.n} breaks a rule of the log: ${why}`, { cause: error })
  }
  draft.append(entry)
}

/** False for a checkpoint that says nothing new of the log that is held. @throws Contradiction, LogMismatchError */
function isNews(ledger: Ledger, checkpoint: Signed<Checkpoint>): boolean {
  const { n, timeMs } = checkpoint.value
  const held = ledger.checkpoint?.value
  requireConsistent(ledger, ledger.state, checkpoint)
  if (n !== ledger.head.n) return false
  if (held?.n !== n || timeMs > held.timeMs) return true
  // One of a time that has not come yet was signed in a moment in which the root's clock was wrong.
  const latestMs = ledger.clock.now() + maxStepMs
  return held.timeMs > latestMs && timeMs <= latestMs
}

/** Inside a transaction, after the entries. @throws Contradiction, LogMismatchError */
function takeCheckpoint(ledger: Ledger, draft: Draft, checkpoint: Signed<Checkpoint>): void {
  requireConsistent(ledger, draft.state, checkpoint)
  if (checkpoint.value.n < draft.state.head.n) return
  requireMatch(checkpoint, draft.state)
  draft.putCheckpoint(checkpoint)
}

/** Checks that a checkpoint is of the log that ends at the state's head. @throws Contradiction, LogMismatchError */
function requireConsistent(ledger: Ledger, { keys, head }: NetworkState, checkpoint: Signed<Checkpoint>): void {
  const { n, epoch, headHash } = checkpoint.value
  if (!keys.isOfLog(checkpoint)) {
    const message = `the checkpoint at ${n} is not of the log key of epoch ${epoch}`
    if (isOfOtherEpoch(keys, checkpoint)) throw new OtherEpochError(message)
    throw new LogMismatchError(message)
  }
  if (n > head.n) throw new LogMismatchError(`the checkpoint is at entry ${n}, the log that is held ends at ${head.n}`)
  const known = n === head.n ? head.hash : ledger.table.hashOf(n)
  if (known === undefined || equals(known, headHash)) return
  if (epoch === keys.epoch) throw contradiction(ledger, n, checkpoint)
  throw new OtherEpochError(
    `the checkpoint at ${n} is of another history of epoch ${epoch}, over which the authority has decided`
  )
}
