import { z } from 'zod'
import {
  admission,
  ageOrNull,
  answer,
  type Body,
  count,
  network,
  numberOrNull,
  part,
  peer,
  peerId,
  peerRef,
  role,
  rttUs,
  self,
  state,
  text,
  textOrNull,
  time,
  timeOrNull,
  warning,
  whole,
  wholeOrNull
} from './parts.ts'

// Answers of a registry about itself and its log.

export const registryStatusView = answer('registry-status', 'trustnet registry status --json', {
  self,
  network: network.nullable(),
  storeId: text,
  log: z.object({
    epoch: whole,
    head: whole,
    headHash: text,
    floor: whole,
    checkpointMs: timeOrNull('newest checkpoint'),
    ageMs: ageOrNull('newest checkpoint')
  }),
  members: whole,
  revoked: whole,
  records: whole,
  sessions: whole.describe('whose lease this registry holds'),
  subscribers: whole.describe('of its sync'),
  pending: whole,
  queued: whole,
  appends: z.boolean().describe('this process appends to the log'),
  appendsMessage: textOrNull.describe('why the root does not'),
  admission,
  registries: z.array(
    peerRef.extend({
      role,
      state,
      connected: z.boolean(),
      shown: z
        .object({ epoch: whole, head: whole, ageMs: whole.min(0).describe('heard, ms ago') })
        .nullable()
        .describe('head that it showed last; null: none since the start of this process'),
      behind: wholeOrNull.describe(
        'entries from there to the head of this view; null: not known, as the last word is too old or this view went on since'
      ),
      address: textOrNull,
      addresses: z.array(text).describe('multiaddrs of its record, best first')
    })
  ),
  store: z.object({ path: text, bytes: wholeOrNull, lastBackupMs: timeOrNull('last backup') }),
  rootStore: z
    .object({
      store: text.describe('as root.store names it'),
      held: z.boolean().describe('this process holds the lease: it is the root, or becomes it'),
      term: wholeOrNull.describe('number of the last lease; null: the database was not reached since the start'),
      holder: peerRef.nullable().describe('who got that lease'),
      leftMs: wholeOrNull.describe('time for which it holds'),
      epoch: wholeOrNull,
      head: wholeOrNull.describe('newest entry in the database'),
      behind: wholeOrNull.describe('entries there that this store lacks'),
      lacks: wholeOrNull.describe('older entries that are still on their way there; each is read back and compared'),
      candidates: z.array(peerRef).describe('others that were seen at the database in the last 20 s'),
      weaknesses: z.array(text).describe('settings of the server by which it may lose what it has answered'),
      failure: textOrNull.describe('why the database is not reached; null: it answered last'),
      failingSinceMs: timeOrNull('not reached since'),
      fault: textOrNull.describe('why this process cannot take the place of the root; null: it can')
    })
    .nullable()
    .describe(
      'database that keeps the log of the root; null: the store of the root keeps it, or this process does not stand for its place'
    ),
  parts: z.array(part).describe('each service of this process'),
  warnings: z.array(warning)
})

const registryNodeRow = peerRef.extend({
  role: role.nullable(),
  state,
  stateSinceMs: timeOrNull('since'),
  reason: textOrNull,
  confirmed: z.boolean(),
  here: z.boolean().describe('this registry holds the lease'),
  registry: peerRef.nullable(),
  heartbeatAgeMs: ageOrNull('last heartbeat'),
  rttUs,
  uptimePercent: numberOrNull,
  seq: wholeOrNull,
  address: textOrNull,
  version: textOrNull,
  firstSeenMs: timeOrNull('first seen'),
  membershipExpiresMs: timeOrNull('membership ends'),
  connected: wholeOrNull
})

export const registryNodesView = answer('registry-nodes', 'trustnet registry nodes --json', {
  nodes: z.array(registryNodeRow)
})

export const evictView = answer('registry-evict', 'trustnet registry evict --json', {
  doubt: textOrNull.describe('why this registry calls nobody offline; null: it does'),
  members: z.array(
    peerRef.extend({ state, heardAgeMs: ageOrNull('last heard'), reason: text.describe('of the state') })
  ),
  evicted: z.boolean().describe('they were called offline by this call'),
  message: text
})

export const clockView = answer('registry-clock', 'trustnet registry clock --json', {
  nowMs: time('the time that the process goes by'),
  wallMs: whole.describe('the clock of the machine'),
  stepMs: wholeOrNull.describe('how far the two are apart; null: they are one'),
  checkpointMs: wholeOrNull.describe('time of the newest checkpoint'),
  appends: z.boolean().nullable().describe('whether the root signs; null: not the root'),
  message: text
})

/** A revoke, or the end of a membership, by the log key of an older epoch, which waits for the operator's word. */
const voidRevokeRow = z.object({
  kind: z.enum(['revoke', 'end']).describe('end: of the membership, without prejudice'),
  member: peerRef.describe('whom it would hit'),
  reason: text,
  epoch: whole,
  n: whole,
  claimedMs: time('as its signer says'),
  from: peerRef.nullable().describe('who handed it over; null: this root cut it off itself'),
  seenMs: whole
})

export const voidRevokesView = answer('registry-void', 'trustnet registry void --json', {
  offered: z.array(voidRevokeRow)
})

const pendingRow = peerRef.extend({
  role,
  askedMs: time('asked'),
  waitsFor: z.enum(['approve', 'root']).describe('approve: the operator. root: the root to be back'),
  address: textOrNull,
  withInvite: z.boolean(),
  looksLike: z.array(text).describe('names of members, and of others who wait, that people would take for this one')
})

export const pendingView = answer('registry-pending', 'trustnet registry pending --json', {
  pending: z.array(pendingRow)
})

export const rejectedView = answer('registry-reject-all', 'trustnet registry reject --all --json', {
  rejected: whole.describe('how many were turned away, or would be')
})

const logRow = z.object({
  n: whole,
  epoch: whole,
  kind: text,
  timeMs: time('signed'),
  hash: text,
  subject: peerRef.nullable(),
  by: z.array(text).describe('names of the operators who caused it; empty: no person did'),
  detail: text.describe('what it says beyond kind and subject; may be empty')
})

export const logView = answer('registry-log', 'trustnet registry log --json', {
  entries: z.array(logRow),
  next: wholeOrNull.describe('`after` of the next page; null at the head'),
  missing: whole.describe('entries between those shown that compaction dropped; always 0 with a peer'),
  floor: whole.describe('entries up to it may have been dropped; 0: all are held')
})

export const operatorsView = answer('operators', 'trustnet operator list --json', {
  operators: z.array(z.object({ name: text, keyId: peerId, entry: whole.describe('of the log') }))
})

export const operatorView = answer('operator', 'trustnet operator add --json, and remove', {
  name: text,
  keyId: peerId,
  entry: wholeOrNull.describe('of the log; null: nothing was changed'),
  message: text
})

export const waitingOrdersView = answer('waiting-orders', 'trustnet operator pending --json', {
  waiting: z.array(
    z.object({
      id: text,
      sinceMs: time('since'),
      by: z.array(text).describe('operators who have ordered it'),
      acts: z.array(z.object({ kind: text, subject: peerRef.nullable(), detail: text }))
    })
  )
})

export const orderedView = answer('ordered', 'an operator who signs with --as', {
  ticket: text,
  networkId: text.describe('base16'),
  epoch: whole,
  seenN: whole.describe('head that the order knows'),
  sign: z.array(z.object({ kind: whole, body: text.describe('base64') })).describe('what is to be signed'),
  answer: z.record(z.string(), z.unknown()).nullable().describe('of the call; null: something is to be signed first')
})

export const backupView = answer('registry-backup', 'trustnet registry backup --json', {
  path: text,
  manifest: text,
  createdMs: whole,
  bytes: whole,
  sha256: text.describe('of the file, base16'),
  head: z.object({ epoch: whole, n: whole, hash: text }),
  rows: z.record(text, whole).describe('rows of each table'),
  lacks: z.array(text).describe('what the file does not hold, and what is lost without it')
})

export const preparedView = answer('registry-prepared', 'a place in the log for an entry of the authority', {
  networkId: text,
  epoch: whole,
  n: whole.describe('of the head: the entry is the next one'),
  headHash: text,
  timeMs: time('of the entry'),
  authorityKey: text,
  nextAuthorityDigest: text,
  logKey: textOrNull.describe('key of the new epoch, where one was asked for')
})

export const enteredView = answer('registry-entered', 'an entry of the authority that was entered', {
  epoch: whole,
  n: whole,
  members: whole
})

export const spreadView = answer('registry-spread', 'which members hold the log up to an entry', {
  epoch: whole,
  n: whole,
  members: z.array(
    peerRef.extend({
      has: z.boolean().describe('by the newest head that it has shown'),
      head: wholeOrNull.describe('that head; null: none since the start')
    })
  )
})

export const checkpointView = answer('registry-checkpoint', 'trustnet registry checkpoint --json', {
  network: text.describe('network id'),
  epoch: whole,
  n: whole.describe('place of the head'),
  headHash: text.describe('base16'),
  stateRoot: text.describe('base16'),
  rows: whole.describe('live entries'),
  bytes: whole.describe('of their envelopes'),
  timeMs: whole,
  logKey: peerId.describe('the key that signed it'),
  envelope: text.describe('as it was signed, base64'),
  note: textOrNull.describe('the same as C2SP signed note; null: not asked for'),
  verifierKey: textOrNull.describe('the log key for programs that verify notes'),
  witnesses: z
    .array(z.object({ peerId, timeMs: whole.describe('when it signed'), verifierKey: text }))
    .describe('who has signed it, too; the note has a line of each')
})

export const witnessLinesView = answer('registry-witness-lines', 'trustnet registry witness-lines --json', {
  epoch: whole,
  n: whole.describe('place of the head that the note is of'),
  witnesses: z.array(peerId).describe('whose lines were taken'),
  by: whole.describe('witnesses that stand for that head now'),
  needed: whole.describe('by the policy')
})

export type WitnessLinesView = Body<typeof witnessLinesView>
export type CheckpointView = Body<typeof checkpointView>
export type RegistryStatusView = Body<typeof registryStatusView>
export type RegistryNodeRow = z.infer<typeof registryNodeRow>
export type RegistryNodesView = Body<typeof registryNodesView>
export type EvictView = Body<typeof evictView>
export type ClockView = Body<typeof clockView>
export type VoidRevokeRow = z.infer<typeof voidRevokeRow>
export type VoidRevokesView = Body<typeof voidRevokesView>
export type PendingRow = z.infer<typeof pendingRow>
export type PendingView = Body<typeof pendingView>
export type RejectedView = Body<typeof rejectedView>
export type LogRow = z.infer<typeof logRow>
export type LogView = Body<typeof logView>
export type OperatorsView = Body<typeof operatorsView>
export type OrderedView = Body<typeof orderedView>
export type OperatorView = Body<typeof operatorView>
export type WaitingOrdersView = Body<typeof waitingOrdersView>
export type BackupView = Body<typeof backupView>
export type PreparedView = Body<typeof preparedView>
export type EnteredView = Body<typeof enteredView>
export type SpreadView = Body<typeof spreadView>

/** Input of `log`. */
export const logInput = {
  after: count.optional(),
  sinceMs: count.describe('signed at that time or later, ms since 1970').optional(),
  untilMs: count.describe('signed at that time or earlier').optional(),
  peer: peer.describe('about this member, or former one').optional(),
  limit: count.max(1000).optional()
}
