import { toString as text } from 'uint8arrays/to-string'
import { at } from '../../identity/bytes.ts'
import { keyId } from '../../identity/key-id.ts'
import { peerIdText, SigningKey } from '../../identity/keys.ts'
import type { Role } from '../../identity/role.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import {
  AmbiguousNameError,
  InvalidPayloadError,
  InviteExpiredError,
  InviteInvalidError,
  InviteUsedError,
  NameTakenError,
  NotFoundError
} from '../../runtime/errors.ts'
import type { EntryDraft, Root } from '../log/log-writer.ts'
import type { Replica } from '../log/replica.ts'
import type { GrantRow, Member } from '../log/state/network-state.ts'
import { readStoredEntry } from '../log/state/stored-entry.ts'
import { entryKinds, type LogEntry } from '../objects/entry.ts'
import { type Grant, newGrantId } from '../objects/grant.ts'
import { checkJoinAgainstGrant, type Join } from '../objects/join.ts'
import { sortedGroups } from '../objects/policy/groups.ts'
import { clockSkewMs, receiptValidMs } from './limits.ts'
import type { Author } from './orders/author.ts'

export interface InviteOptions {
  role: Role
  /** The joiner must take this name; without it, it chooses one. */
  name?: string
  /** Name of a member whose place the joiner takes: that one is revoked in the same commit. */
  replaces?: string
  /** Number of machines that may join with it; default 1. */
  uses?: number
  /** Time in which it can be used; default 1 h. */
  ttlMs?: number
  /** For people. */
  note?: string
  /** Groups that the joiner will be in. */
  groups?: readonly string[]
  /** The membership ends when the member has been offline for so long. */
  ephemeralMs?: number
}

/** An invite of the log, and the place of its entry. */
export interface IssuedGrant extends Grant {
  epoch: number
  n: number
  /** Hash of the entry. */
  hash: Uint8Array
}

/** A grant, and the one-time key whose seed goes into the invite line. The key is kept nowhere. */
export interface IssuedInvite {
  grant: IssuedGrant
  inviteKey: SigningKey
}

const defaultTtlMs = 3_600_000
/** Invites that are cleared away in one batch: the log of everybody grows by them for a while. */
const maxEndsAtOnce = 100
const minClearMs = 60_000
/** Ends that are remembered, to tell a joiner what became of its invite. */
const maxEnds = 10_000

export interface InvitesComponents {
  replica: Replica
  clock: Clock
  logger: Logger
}

/** The invites of the log: makes and ends them at the root, and says everywhere whether one lets a joiner in. */
export class Invites {
  readonly #components: InvitesComponents
  /** By id: why an invite that was open while this process ran is no more. */
  readonly #ends = new Map<string, string | undefined>()
  #clearedAt = Number.NEGATIVE_INFINITY

  constructor(components: InvitesComponents) {
    this.#components = components
    components.replica.events.addEventListener('entries', ({ detail }) => {
      for (const { value } of detail.entries) this.#learnEnd(value)
    })
  }

  #learnEnd(entry: LogEntry): void {
    if (entry.kind === 'grantEnd') this.#keepEnd(entry.body.id, entry.body.reason)
    const id = entry.kind === 'admit' ? entry.body.grantId : undefined
    if (id !== undefined && this.#components.replica.state.grant(id) === undefined) this.#keepEnd(id, undefined)
  }

  /** Without a reason its uses are spent. */
  #keepEnd(id: Uint8Array, reason: string | undefined): void {
    const key = keyId(id)
    if (this.#ends.has(key)) return
    this.#ends.set(key, reason)
    for (const oldest of this.#ends.keys()) {
      if (this.#ends.size <= maxEnds) break
      this.#ends.delete(oldest)
    }
  }

  /**
   * Enters a grant into the log.
   * @throws InvalidPayloadError, NotFoundError, NameTakenError, LimitError and as Root.append
   */
  async issue(options: InviteOptions, author: Author, root?: Root): Promise<IssuedInvite> {
    const { clock } = this.#components
    const { role, replaces, uses = 1, ttlMs = defaultTtlMs, note = '', groups = [], ephemeralMs } = options
    const name = options.name ?? replaces
    if (!(ttlMs > 0)) throw new InvalidPayloadError('an invite lasts more than 0 ms')
    this.#checkNames(name, replaces)
    const inviteKey = SigningKey.generate()
    const grant: Grant = {
      id: newGrantId(),
      inviteKey: inviteKey.publicKey,
      role,
      ...(name !== undefined && { name }),
      groups: sortedGroups(groups),
      ...(replaces !== undefined && { replaces }),
      uses,
      notAfterMs: clock.now() + ttlMs,
      note,
      ...(ephemeralMs !== undefined && { ephemeralMs })
    }
    // They make room for it.
    if (root !== undefined) await this.#end(this.#expired(root), root)
    const { value, hash } = at(await author.append([{ kind: 'grant', body: grant }]), 0)
    return { grant: { ...grant, epoch: value.epoch, n: value.n, hash }, inviteKey }
  }

  #checkNames(name: string | undefined, replaces: string | undefined): void {
    const { state } = this.#components.replica
    if (replaces !== undefined && (state.memberByName(replaces) ?? state.heldName(replaces)) === undefined) {
      throw new NotFoundError(`no member is called ${replaces}: \`trustnet peers\` lists the names`)
    }
    const holder = name === undefined || name === replaces ? undefined : state.memberByName(name)
    if (holder !== undefined) throw nameTaken(holder.name, holder.publicKey)
  }

  /** Those that are open, in the order in which they were made. */
  list(): GrantRow[] {
    return [...this.#components.replica.state.grants()]
  }

  /** Members that were let in by it, as long as it is open. */
  usersOf(row: GrantRow): Member[] {
    return [...this.#components.replica.state.members()].filter(({ grant }) => grant === row.key)
  }

  /**
   * The open invite whose id in hex begins so.
   * @throws NotFoundError, AmbiguousNameError
   */
  find(id: string): GrantRow {
    const found = this.list().filter(({ grant }) => text(grant.id, 'base16').startsWith(id.toLowerCase()))
    const [row] = found
    if (row === undefined || id === '') {
      throw new NotFoundError(`no open invite has the id ${id}: \`trustnet invite list\` shows them`)
    }
    if (found.length > 1) {
      throw new AmbiguousNameError(`${found.length} invites have ids that begin with ${id}: give more of it`)
    }
    return row
  }

  /** The entry that took back the invite whose id in hex begins so, as long as it is in the store; of several the newest. */
  takenBack(id: string): Extract<LogEntry, { kind: 'grantEnd' }> | undefined {
    return this.#components.replica.ledger.table
      .ofKinds(entryKinds.grantEnd, entryKinds.grantEnd)
      .map(({ envelope }) => readStoredEntry(envelope).value)
      .filter((entry) => entry.kind === 'grantEnd')
      .findLast(({ body }) => id !== '' && text(body.id, 'base16').startsWith(id.toLowerCase()))
  }

  /** Takes an invite back. @throws as find and Author.append */
  async cancel(id: string, reason: string, author: Author): Promise<GrantRow> {
    const row = this.find(id)
    await author.append([{ kind: 'grantEnd', body: { id: row.grant.id, reason } }])
    return row
  }

  /** Ends invites whose time is over for every joiner, also for one with a receipt: some at a time, once a minute. */
  async clearExpired(root: Root): Promise<void> {
    const { clock } = this.#components
    const over = this.#expired(root)
    if (over.length === 0 || root.refusal !== undefined || clock.monotonic() - this.#clearedAt < minClearMs) return
    this.#clearedAt = clock.monotonic()
    await this.#end(over, root)
  }

  /** In one commit, but each by itself: somebody else may end one of them at the same moment. */
  async #end(rows: readonly GrantRow[], root: Root): Promise<void> {
    const ended = await Promise.allSettled(rows.map((row) => root.append([endOf(row)])))
    const failed = ended.find((each) => each.status === 'rejected')
    if (failed === undefined) return
    const fields = { error: reasonOf(failed.reason) }
    this.#components.logger.debug(fields, 'an invite that is over was not cleared away: it is tried again')
  }

  /** None, while the clock may be wrong: an invite that is ended cannot be used any more when it is put right. */
  #expired(root: Root): GrantRow[] {
    if (!root.clock.isConfirmed) return []
    const overMs = this.#components.clock.now() - receiptValidMs - clockSkewMs
    const over: GrantRow[] = []
    for (const row of this.#components.replica.state.grants()) {
      if (row.grant.notAfterMs < overMs && over.push(row) === maxEndsAtOnce) break
    }
    return over
  }

  /**
   * The open invite that a join uses; undefined: this replica has never heard of it.
   * @throws InviteInvalidError, InviteExpiredError, InviteUsedError
   */
  judge(join: Join, grantId: Uint8Array, receivedMs: number): Grant | undefined {
    const row = this.#components.replica.state.grant(grantId)
    if (row === undefined) {
      if (this.#ends.has(keyId(grantId))) throw this.ended(grantId)
      return undefined
    }
    if (row.ended.has(keyId(join.publicKey))) {
      throw new InviteUsedError(
        'the invite let this machine in before, and that membership was ended: ask the operator for a new one'
      )
    }
    checkJoinAgainstGrant(join, row.grant)
    if (receivedMs > row.grant.notAfterMs) throw expired(row.grant.notAfterMs)
    return row.grant
  }

  /** The reason why an invite that is not open admits nobody. */
  ended(grantId: Uint8Array): Error {
    const key = keyId(grantId)
    const reason = this.#ends.get(key)
    if (reason === undefined && this.#ends.has(key)) {
      return new InviteUsedError('the invite is used up: ask the operator for a new one')
    }
    if (reason === expiredReason) return new InviteExpiredError('the invite has ended: ask the operator for a new one')
    if (reason !== undefined) {
      return new InviteInvalidError(
        `the operator took the invite back${reason === '' ? '' : ` (${reason})`}: ask for a new one`
      )
    }
    return new InviteInvalidError(
      'the log knows no such invite: it was used up or taken back, or is not of this history; ask the operator for a new one'
    )
  }
}

const expiredReason = 'its time is over'

const endOf = ({ grant }: GrantRow): EntryDraft => ({
  kind: 'grantEnd',
  body: { id: grant.id, reason: expiredReason }
})

const expired = (notAfterMs: number): InviteExpiredError =>
  new InviteExpiredError(`the invite ended at ${new Date(notAfterMs).toISOString()}: ask the operator for a new one`)

export const nameTaken = (name: string, holder: Uint8Array): NameTakenError =>
  new NameTakenError(
    `the name ${name} belongs to ${peerIdText(holder)}: take another name, or ask the operator of the root for an invite with --replace ${name}`
  )
