import { equals } from 'uint8arrays/equals'
import { at } from '../../../identity/bytes.ts'
import { keyId } from '../../../identity/key-id.ts'
import type { SigningKey } from '../../../identity/keys.ts'
import { type Clock, type Logger, silentLogger, systemClock } from '../../../runtime/clock-and-logger.ts'
import { InvalidPayloadError } from '../../../runtime/errors.ts'
import { entryKinds, type LogEntry } from '../../objects/entry.ts'
import { makeJoin } from '../../objects/join.ts'
import { openDatabase } from '../../store/database.ts'
import { GroupCommit } from '../../store/group-commit.ts'
import { loadStateAt } from '../load.ts'
import { type EntryDraft, maxBatchEntries, Root, sealDelegation } from '../log-writer.ts'
import { openReplica, type Replica } from '../replica.ts'
import type { Head, Member, NetworkState } from '../state/network-state.ts'
import { readStoredEntry } from '../state/stored-entry.ts'
import { type EndAgain, endAgain, endsAgain } from './ends-again.ts'
import { readmission } from './readmission.ts'

/** Node that becomes the root. */
export interface NewRoot {
  key: SigningKey
  /** In the network, for a node that is no member yet. */
  name: string
  /** Key of the operator of its machine. */
  operatorKey?: SigningKey | undefined
}

export interface NewEpochInit {
  /** Store of the node that becomes the root; no process may have it open. */
  path: string
  authority: SigningKey
  /** Log key of the new epoch. */
  logKey: SigningKey
  node: NewRoot
  /** Shuts the key of the root before out for ever; without it that machine comes back as a secondary. */
  revokeFormer: boolean
  /** The last entry that counts; default: the head. What is above it becomes void, and of its revokes none is in force any more. */
  fromN?: number | undefined
  clock?: Clock
  logger?: Logger
}

/** An entry as an operator judges it. */
export interface EntryLine {
  n: number
  epoch: number
  kind: LogEntry['kind']
  /** Key that it is about. */
  subject: Uint8Array | undefined
  name: string | undefined
  /** As its signer says. */
  timeMs: number
}

/** Changes that a new epoch is going to make, or has made. */
export interface NewEpoch {
  /** The last entry that counts of the epochs before. */
  fork: Head
  /** The new one. */
  epoch: number
  former: readonly Member[]
  /** Former roots whose key is shut out for ever. */
  revoked: readonly Member[]
  /** undefined: the node is a member already. */
  admitted: string | undefined
  /** Revokes in force that the log does not say, and that are entered again. */
  reissued: number
  /** The last entries that count, ascending. */
  newest: readonly EntryLine[]
  /** Entries above the fork, ascending. */
  voided: readonly EntryLine[]
  /** Invites and operators that were ended above the fork, and are ended again. */
  again: readonly EndAgain[]
  /** Head after it. */
  head: Head
}

/** Leaves room for the number of an epoch in a name of 63 characters. */
const maxNameStem = 46
/** Entries below the fork that are shown, so that somebody else's among them can be seen. */
const newestShown = 20

/**
 * Plans what `openEpoch` would do; changes nothing.
 * @throws InvalidPayloadError when the authority is another one, the key of the node was revoked, or nothing can begin at `fromN`; StoreError
 */
export const planEpoch = (init: Omit<NewEpochInit, 'logKey'>): Promise<NewEpoch> =>
  withReplica(init, async (replica) => await planOf(replica, init))

/**
 * Makes a node the root: the authority delegates a new log key from the end of the log that the node holds, or from an entry before it,
 * and with that key the node enters itself as root. After a crash in the middle the same call, with the same log key, goes on.
 *
 * @throws as planEpoch
 */
export const openEpoch = (init: NewEpochInit): Promise<NewEpoch> =>
  withReplica(init, async (replica) => {
    const { authority, logKey, node, logger = silentLogger } = init
    const isBegun = replica.state.keys.isKeyOf(replica.head.epoch, logKey.publicKey)
    const plan = await planOf(replica, isBegun ? { ...init, fromN: undefined } : init)
    const epoch = isBegun ? replica.head.epoch : plan.epoch
    if (!isBegun) {
      await setAside(replica, plan.fork.n)
      await replica.apply([sealDelegation(replica, authority, logKey.publicKey, plan.fork.n).bytes])
    }
    const { operatorKey } = node
    const root = new Root({ replica, logKey, nodeKey: node.key, operatorKey, logger })
    await root.append(draftsOf(replica, init, plan))
    const again = await endAgain(root, replica, operatorKey)
    const readmitted = readmissions(replica)
    for (let done = 0; done < readmitted.length; done += maxBatchEntries) {
      await root.append(readmitted.slice(done, done + maxBatchEntries))
    }
    await root.reissueRevokes()
    await root.close()
    return { ...plan, again, epoch, head: replica.head }
  })

/** Revokes above an entry that the operator goes back to wait for the operator's word. */
async function setAside({ ledger }: Replica, forkN: number): Promise<void> {
  const { table, clock } = ledger
  await ledger.write(() => {
    for (const { n, epoch, hash, kind, subject, envelope } of table.behind(forkN)) {
      const row = { kind: 'offered', epoch, n, hash, subject, envelope, atMs: clock.now() } as const
      if (kind === entryKinds.revoke) table.addEvidence(row)
    }
  })
}

/** Renewals for those whom a revoke that was set aside has hit: others enforce it until the new root has spoken. */
function readmissions(replica: Replica): EntryDraft[] {
  const { ledger, state } = replica
  const { forkN } = at(state.keys.epochs, state.keys.epochs.length - 1)
  const drafts = new Map<string, EntryDraft>()
  for (const { subject, other } of ledger.evidence('offered')) {
    if (subject === null || other !== null) continue
    const draft = readmission(replica, subject)
    const isDue = (state.member(subject)?.admit.value.n ?? 0) <= forkN
    if (draft !== undefined && isDue) drafts.set(keyId(subject), draft)
  }
  return [...drafts.values()]
}

/** Runs something on the replica in a store that no process has open. @throws StoreInUseError, StoreError */
export async function withReplica<T>(
  { path, clock = systemClock, logger = silentLogger }: Pick<NewEpochInit, 'path' | 'clock' | 'logger'>,
  run: (replica: Replica) => Promise<T>
): Promise<T> {
  const db = openDatabase(path)
  const commit = new GroupCommit(db)
  try {
    return await run(await openReplica({ db, commit, clock, logger }))
  } finally {
    commit.close()
    db.close()
  }
}

async function planOf(
  replica: Replica,
  { path, authority, node, revokeFormer, fromN }: Omit<NewEpochInit, 'logKey'>
): Promise<NewEpoch> {
  const { head } = replica
  const fork = forkOf(replica, fromN)
  const isHead = fork.n === head.n
  const state = isHead ? replica.state : await loadStateAt(replica.ledger.loadInit, fork.n, fork.hash)
  if (!equals(state.keys.authorityKey, authority.publicKey)) {
    throw new InvalidPayloadError(
      `the recovery kit does not hold the authority of the network in ${path}: use the kit that \`trustnet init\` or \`trustnet authority rotate\` wrote last`
    )
  }
  const { key: nodeKey, name } = node
  if (state.isRevoked(nodeKey.publicKey)) {
    throw new InvalidPayloadError('the key of this node was revoked: use another machine, or another data folder')
  }
  const former = [...state.members()].filter(
    ({ publicKey }) => state.registry(publicKey)?.role === 'root' && !equals(publicKey, nodeKey.publicKey)
  )
  const isMember = state.member(nodeKey.publicKey) !== undefined
  // A machine that takes the name of the root that was lost takes its place.
  const revoked = former.filter((member) => revokeFormer || (!isMember && member.name === name))
  const holder = isMember ? undefined : state.memberByName(name)
  if (holder !== undefined && !revoked.includes(holder)) {
    throw new InvalidPayloadError(`the name ${name} belongs to another member: choose one with --name`)
  }
  return {
    fork,
    epoch: head.epoch + 1,
    former,
    revoked,
    admitted: isMember ? undefined : name,
    reissued: replica.authorityRevocations.revokes().length,
    newest: linesOf(replica, fork.n - newestShown, fork.n),
    voided: linesOf(replica, fork.n, head.n),
    again: endsAgain(replica.ledger.table.behind(fork.n), state, node.operatorKey?.publicKey),
    head
  }
}

/** @throws InvalidPayloadError */
function forkOf(replica: Replica, fromN: number | undefined): Head {
  const { head, floor, ledger } = replica
  if (fromN === undefined || fromN === head.n) return head
  const row = fromN < Math.max(floor, 1) ? undefined : ledger.table.get(fromN)
  if (row === undefined || fromN > head.n) {
    throw new InvalidPayloadError(
      `entry ${fromN} cannot be gone back to: entries ${Math.max(floor, 1)} to ${head.n} are held`
    )
  }
  for (const { n, kind } of ledger.table.behind(fromN)) {
    if (kind !== entryKinds.authority) continue
    throw new InvalidPayloadError(
      `entry ${n} made another key the authority, which nothing takes back: go back to ${n} at most`
    )
  }
  return { epoch: row.epoch, n: fromN, hash: Uint8Array.from(row.hash) }
}

/** Entries behind one up to another. */
function linesOf({ ledger, state }: Replica, afterN: number, toN: number): EntryLine[] {
  const lines: EntryLine[] = []
  for (const { n, epoch, timeMs, subject, envelope } of ledger.table.behind(Math.max(afterN, 0))) {
    if (n > toN) break
    const { value } = readStoredEntry(envelope)
    const isNamed = value.kind === 'admit' || value.kind === 'operator'
    const name = isNamed ? value.body.name : subject === null ? undefined : nameAt(state, subject)
    lines.push({ n, epoch, kind: value.kind, subject: subject ?? undefined, name, timeMs })
  }
  return lines
}

const nameAt = (state: NetworkState, publicKey: Uint8Array): string | undefined => state.member(publicKey)?.name

function draftsOf(replica: Replica, { node, clock = systemClock }: NewEpochInit, plan: NewEpoch): EntryDraft[] {
  const { networkId, state } = replica
  const { key: nodeKey, name, operatorKey } = node
  const { publicKey } = nodeKey
  const { membershipMs } = state.policy
  const drafts: EntryDraft[] = []
  for (const member of plan.former) {
    drafts.push({ kind: 'registrySet', body: { publicKey: member.publicKey, role: 'secondary', removed: false } })
  }
  for (const { publicKey: key, name: former } of plan.revoked) {
    drafts.push({ kind: 'revoke', body: { publicKey: key, reason: `a new root takes the place of ${former}` } })
  }
  if (plan.admitted !== undefined) {
    const timeMs = clock.now()
    const join = makeJoin({ networkId, key: nodeKey, name, role: 'secondary', timeMs })
    const notAfterMs = timeMs + membershipMs
    drafts.push({ kind: 'admit', body: { publicKey, name, role: 'secondary', notAfterMs, via: 'approved', join } })
  }
  // Also for one that is the root already: whatever a key of the past has said of it is over.
  drafts.push({ kind: 'registrySet', body: { publicKey, role: 'root', removed: false } })
  return [...drafts, ...operatorsOf(state, plan, name, operatorKey?.publicKey)]
}

/** The operator of the new root, and the end of those of machines that are shut out: theirs have the names of the machines. */
function operatorsOf(
  state: NetworkState,
  { revoked, epoch }: NewEpoch,
  name: string,
  publicKey: Uint8Array | undefined
): EntryDraft[] {
  if (publicKey === undefined) return []
  const others = state.operators()
  const free = others.some((each) => each.name === name) ? `${name.slice(0, maxNameStem)}-${epoch}` : name
  const added: EntryDraft[] =
    state.operator(publicKey) === undefined
      ? [{ kind: 'operator', body: { publicKey, name: free, removed: false } }]
      : []
  const former = others.filter(
    (each) => revoked.some((member) => member.name === each.name) && !equals(each.publicKey, publicKey)
  )
  const gone = former.map(
    (each): EntryDraft => ({
      kind: 'operator',
      body: { publicKey: each.publicKey, name: each.name, removed: true }
    })
  )
  return [...added, ...gone]
}
