import type { SigningKey } from '../../identity/keys.ts'
import { type Clock, type Logger, silentLogger, systemClock } from '../../runtime/clock-and-logger.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'
import { makeJoin } from '../objects/join.ts'
import { openDatabase } from '../store/database.ts'
import { GroupCommit } from '../store/group-commit.ts'
import { type EntryDraft, Root, sealDelegation } from './log-writer.ts'
import { openReplica, type Replica } from './replica.ts'
import type { Head, Member } from './state/network-state.ts'

export interface NewEpochInit {
  /** Store of the node that becomes the root; no process may have it open. */
  path: string
  authority: SigningKey
  /** Of the new epoch. */
  logKey: SigningKey
  nodeKey: SigningKey
  /** In the network, for a node that is no member yet. */
  name: string
  /** Shuts the key of the root before out for ever; without it that machine comes back as a secondary. */
  revokeFormer: boolean
  clock?: Clock
  logger?: Logger
}

/** What a new epoch is going to change, or has changed. */
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
  /** Head after it. */
  head: Head
}

/**
 * What `openEpoch` would do; changes nothing.
 * @throws InvalidPayloadError when the authority is another one or the key of the node was revoked; StoreError
 */
export const planEpoch = (init: Omit<NewEpochInit, 'logKey'>): Promise<NewEpoch> =>
  withReplica(init, async (replica) => planOf(replica, init))

/**
 * Makes a node the root: the authority delegates a new log key from the end of the log that the node holds, and with that key the node
 * enters itself as root. After a crash in the middle the same call, with the same log key, goes on.
 *
 * @throws as planEpoch
 */
export const openEpoch = (init: NewEpochInit): Promise<NewEpoch> =>
  withReplica(init, async (replica) => {
    const { authority, logKey, nodeKey, logger = silentLogger } = init
    const isBegun = replica.state.keys.isKeyOf(replica.head.epoch, logKey.publicKey)
    const plan = planOf(replica, init)
    const epoch = isBegun ? replica.head.epoch : plan.epoch
    if (!isBegun) await replica.apply([sealDelegation(replica, authority, logKey.publicKey).bytes])
    const root = new Root({ replica, logKey, publicKey: nodeKey.publicKey, logger })
    const drafts = draftsOf(replica, init, plan)
    if (drafts.length > 0) await root.append(drafts)
    await root.reissueRevokes()
    await root.close()
    return { ...plan, epoch, head: replica.head }
  })

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

function planOf(
  replica: Replica,
  { path, authority, nodeKey, name, revokeFormer }: Omit<NewEpochInit, 'logKey'>
): NewEpoch {
  const { state, head } = replica
  if (Buffer.compare(state.keys.authorityKey, authority.publicKey) !== 0) {
    throw new InvalidPayloadError(
      `the recovery kit does not hold the authority of the network in ${path}: use the kit that \`trustnet init\` wrote for it`
    )
  }
  if (state.isRevoked(nodeKey.publicKey)) {
    throw new InvalidPayloadError('the key of this node was revoked: use another machine, or another data folder')
  }
  const isSelf = ({ publicKey }: { publicKey: Uint8Array }): boolean =>
    Buffer.compare(publicKey, nodeKey.publicKey) === 0
  const former = state
    .registries()
    .filter((row) => row.role === 'root' && !isSelf(row))
    .flatMap(({ publicKey }) => state.member(publicKey) ?? [])
  const isMember = state.member(nodeKey.publicKey) !== undefined
  // A machine that takes the name of the root that was lost takes its place.
  const revoked = former.filter((member) => revokeFormer || (!isMember && member.name === name))
  const holder = isMember ? undefined : state.memberByName(name)
  if (holder !== undefined && !revoked.includes(holder)) {
    throw new InvalidPayloadError(`the name ${name} belongs to another member: choose one with --name`)
  }
  return {
    fork: head,
    epoch: head.epoch + 1,
    former,
    revoked,
    admitted: isMember ? undefined : name,
    reissued: replica.emergency.revokes().length,
    head
  }
}

function draftsOf(
  replica: Replica,
  { nodeKey, name, clock = systemClock }: NewEpochInit,
  plan: NewEpoch
): EntryDraft[] {
  const { networkId, genesis, state } = replica
  const { publicKey } = nodeKey
  const { membershipMs } = genesis.value.policy
  const drafts: EntryDraft[] = []
  for (const member of plan.revoked) {
    drafts.push({
      kind: 'revoke',
      body: { publicKey: member.publicKey, reason: `a new root takes the place of ${member.name}` }
    })
  }
  for (const member of plan.former.filter((each) => !plan.revoked.includes(each))) {
    drafts.push({ kind: 'registrySet', body: { publicKey: member.publicKey, role: 'secondary', removed: false } })
  }
  if (plan.admitted !== undefined) {
    const timeMs = clock.now()
    const join = makeJoin({ networkId, key: nodeKey, name, role: 'secondary', timeMs })
    const notAfterMs = timeMs + membershipMs
    drafts.push({ kind: 'admit', body: { publicKey, name, role: 'secondary', notAfterMs, via: 'approved', join } })
  }
  if (state.registry(publicKey)?.role !== 'root') {
    drafts.push({ kind: 'registrySet', body: { publicKey, role: 'root', removed: false } })
  }
  return drafts
}
