import { equals } from 'uint8arrays/equals'
import { toString as text } from 'uint8arrays/to-string'
import { peerIdText, SigningKey } from '../../identity/keys.ts'
import type { Role } from '../../identity/role.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import {
  InvalidEnvelopeError,
  InvalidPayloadError,
  InviteExpiredError,
  InviteInvalidError,
  InviteUsedError,
  LimitError,
  NameTakenError,
  NotFoundError
} from '../../runtime/errors.ts'
import type { Replica } from '../log/replica.ts'
import { readStoredEntry } from '../log/state/stored-entry.ts'
import { entryKinds } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'
import { type Grant, newGrantId, openGrant, readStoredGrantId, sealGrant } from '../objects/grant.ts'
import { checkJoinAgainstGrant, type Join } from '../objects/join.ts'
import { type GrantRow, GrantTable } from '../store/admission-tables.ts'
import type { Database } from '../store/database.ts'
import type { GroupCommit } from '../store/group-commit.ts'
import { clockSkewMs, type RegistryLimits, receiptValidMs } from './limits.ts'

export interface InviteOptions {
  role: Role
  /** The joiner must take this name; without it, it chooses one. */
  name?: string
  /** Name of a member whose place the joiner takes: that one is revoked in the same commit. */
  replaces?: string
  /** How many may join with it; default 1. */
  uses?: number
  /** How long it can be used; default 1 h. */
  ttlMs?: number
}

/** A grant, and the one-time key whose seed goes into the invite line. The key is kept nowhere. */
export interface IssuedInvite {
  grant: Signed<Grant>
  inviteKey: SigningKey
}

const defaultTtlMs = 3_600_000
/** An invite lies about in mails and shell histories: longer than a month is no invite any more. */
const maxTtlMs = 31 * 24 * 3_600_000

export interface InvitesComponents {
  db: Database
  commit: GroupCommit
  replica: Replica
  clock: Clock
  limits: RegistryLimits
}

/** Issues grants, says whether one lets a joiner in, and counts their uses. Only the root has rows to count. */
export class Invites {
  readonly #components: InvitesComponents
  readonly #table: GrantTable
  /** Uses taken by admissions that are on their way to the disk. */
  readonly #taken = new Map<string, number>()

  constructor(components: InvitesComponents) {
    this.#components = components
    this.#table = new GrantTable(components.db)
  }

  async issue(options: InviteOptions, logKey: SigningKey): Promise<IssuedInvite> {
    const { clock, commit, limits, replica } = this.#components
    const { role, replaces, uses = 1, ttlMs = defaultTtlMs } = options
    const name = options.name ?? replaces
    this.#checkOptions(options, name)
    const inviteKey = SigningKey.generate()
    const notAfterMs = clock.now() + ttlMs
    const grant = sealGrant(
      {
        networkId: replica.networkId,
        id: newGrantId(),
        inviteKey: inviteKey.publicKey,
        role,
        ...(name !== undefined && { name }),
        ...(replaces !== undefined && { replaces }),
        uses,
        notAfterMs
      },
      logKey
    )
    await commit.write(() => {
      this.#table.prune(clock.now() - receiptValidMs - clockSkewMs)
      if (this.#table.count() >= limits.openGrants) {
        throw new LimitError(
          `${limits.openGrants} invites are open: wait until some have ended, or give them more uses`
        )
      }
      this.#table.insert(grant.value.id, grant.bytes, uses, notAfterMs)
    })
    return { grant, inviteKey }
  }

  #checkOptions(options: InviteOptions, name: string | undefined): void {
    const { role, replaces, uses = 1, ttlMs = defaultTtlMs } = options
    const { state } = this.#components.replica
    if (role === 'root') throw new InvalidPayloadError('nobody is invited as root: a secondary is promoted to it')
    if (!(ttlMs > 0 && ttlMs <= maxTtlMs))
      throw new InvalidPayloadError('an invite lasts more than 0 and at most 31 days')
    if (name !== undefined && uses !== 1) throw new InvalidPayloadError('an invite with a name has one use')
    if (replaces !== undefined && state.memberByName(replaces) === undefined) {
      throw new NotFoundError(`no member is called ${replaces}: \`trustnet peers\` lists the names`)
    }
    const holder = name === undefined || name === replaces ? undefined : state.memberByName(name)
    if (holder !== undefined) throw nameTaken(holder.name, holder.publicKey)
  }

  /**
   * What every registry can check: that a log key signed the grant, that the joiner may use it, and that it came in time.
   * @throws InviteInvalidError, InviteExpiredError, WrongNetworkError
   */
  open(bytes: Uint8Array, join: Signed<Join>, receivedMs: number): Signed<Grant> {
    const { replica } = this.#components
    const grant = openAsInvite(bytes, replica.networkId)
    if (!replica.state.keys.isLogKey(grant.signer)) {
      throw new InviteInvalidError('the invite is signed by a key that may not invite: ask the operator for a new one')
    }
    checkJoinAgainstGrant(join, grant)
    if (receivedMs > grant.value.notAfterMs) {
      const ended = new Date(grant.value.notAfterMs).toISOString()
      throw new InviteExpiredError(`the invite ended at ${ended}: ask the operator for a new one`)
    }
    return grant
  }

  /**
   * Reserves a use at the root. `spend` belongs into the commit that admits, `release` behind it, whatever came of it.
   * @throws InviteUsedError, InviteInvalidError for one that this root does not know
   */
  take(grant: Signed<Grant>): { spend(): void; release(): void } {
    const { id, notAfterMs } = grant.value
    const row = this.#table.get(id) ?? this.#inherited(grant)
    if (row === undefined || !equals(row.envelope, grant.bytes)) {
      throw new InviteInvalidError(
        'this root did not issue the invite, or has forgotten it: ask the operator for a new one'
      )
    }
    const key = text(id, 'base16')
    const taken = this.#taken.get(key) ?? 0
    if (row.usesLeft - taken <= 0) throw used()
    this.#reserve(key, 1)
    return {
      spend: () => {
        if (this.#table.get(id) === undefined) this.#table.insert(id, row.envelope, row.usesLeft, notAfterMs)
        if (!this.#table.use(id)) throw used()
      },
      release: () => this.#reserve(key, -1)
    }
  }

  #reserve(key: string, uses: number): void {
    const taken = (this.#taken.get(key) ?? 0) + uses
    if (taken === 0) this.#taken.delete(key)
    else this.#taken.set(key, taken)
  }

  /**
   * The invite of a root before this one: what is left of its uses, the log says. One of this root's own that has no row is one that it
   * has forgotten.
   */
  #inherited(grant: Signed<Grant>): GrantRow | undefined {
    const { replica } = this.#components
    if (replica.state.keys.isKeyOf(replica.head.epoch, grant.signer)) return undefined
    return { envelope: grant.bytes, usesLeft: Math.max(0, grant.value.uses - this.#usesInLog(grant.value)) }
  }

  /**
   * Whoever was let in by it counts, also when its membership has ended since. Where entries were compacted away, so does each key that was
   * revoked while the invite may have been open: it may have been let in by it.
   */
  #usesInLog({ id, notAfterMs }: Grant): number {
    const { floor, ledger } = this.#components.replica
    const openFromMs = notAfterMs - maxTtlMs
    let uses = 0
    for (const { n, kind, timeMs, envelope } of ledger.table.behind(0)) {
      const isEnd = kind === entryKinds.revoke || kind === entryKinds.rotate
      if (kind === entryKinds.admit ? isByGrant(envelope, id) : isEnd && n <= floor && timeMs >= openFromMs) uses++
    }
    return uses
  }
}

/** Few entries have the id in their bytes, so few are decoded. */
const isByGrant = (envelope: Uint8Array, id: Uint8Array): boolean => {
  if (!Buffer.from(envelope.buffer, envelope.byteOffset, envelope.byteLength).includes(Buffer.from(id))) return false
  const { value } = readStoredEntry(envelope)
  return value.kind === 'admit' && value.body.grant !== undefined && equals(readStoredGrantId(value.body.grant), id)
}

const used = (): InviteUsedError => new InviteUsedError('the invite is used up: ask the operator for a new one')

/** A forged invite is an invalid invite, whatever its bytes lack; one of another network says so itself. */
const openAsInvite = (bytes: Uint8Array, networkId: Uint8Array): Signed<Grant> => {
  try {
    return openGrant(bytes, networkId)
  } catch (error) {
    if (error instanceof InvalidEnvelopeError || error instanceof InvalidPayloadError) {
      throw new InviteInvalidError(`the invite is damaged or forged: ask the operator for a new one`, { cause: error })
    }
    throw error
  }
}

export const nameTaken = (name: string, holder: Uint8Array): NameTakenError =>
  new NameTakenError(
    `the name ${name} belongs to ${peerIdText(holder)}: take another name, or ask the operator of the root for an invite with --replace ${name}`
  )
