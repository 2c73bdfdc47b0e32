import type { TypedEventTarget } from 'main-event'
import { isName } from '../../identity/checked-bytes.ts'
import { peerIdText, publicKeyOf } from '../../identity/keys.ts'
import { roleOrExternal, roles } from '../../identity/role.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import {
  AmbiguousNameError,
  ChangedMeanwhileError,
  InviteRequiredError,
  JoinRejectedError,
  NotFoundError
} from '../../runtime/errors.ts'
import type { JoinEvents, PendingJoin } from '../events.ts'
import { payloadHash, type Signed } from '../objects/envelope.ts'
import type { Join } from '../objects/join.ts'
import { type PendingRow, PendingTable, RejectedTable } from '../store/admission-tables.ts'
import type { Database } from '../store/database.ts'
import type { GroupCommit } from '../store/group-commit.ts'
import type { RegistryLimits } from './limits.ts'
import type { WaitingActs } from './orders/waiting-orders.ts'
import { WaitingAskers } from './waiting-askers.ts'

export interface PendingJoinsComponents {
  db: Database
  commit: GroupCommit
  clock: Clock
  limits: RegistryLimits
  events: TypedEventTarget<JoinEvents>
}

/** Joins that wait for the operator, and those that the operator refused. Only the root has any. */
export class PendingJoins {
  readonly #components: PendingJoinsComponents
  readonly #table: PendingTable
  readonly #rejected: RejectedTable
  readonly #askers = new WaitingAskers()

  constructor(components: PendingJoinsComponents) {
    this.#components = components
    this.#table = new PendingTable(components.db)
    this.#rejected = new RejectedTable(components.db)
  }

  list(): PendingJoin[] {
    const oldestMs = this.#oldestMs()
    return this.#table.list().flatMap((row) => (row.sinceMs < oldestMs ? [] : [pendingOf(row)]))
  }

  /** Requests of those that wait, as acts that an operator may order. */
  acts(): WaitingActs[] {
    const oldestMs = this.#oldestMs()
    return this.#table.list().flatMap(({ publicKey, sinceMs }) => {
      const row = sinceMs < oldestMs ? undefined : this.#table.get(publicKey)
      return row === undefined
        ? []
        : [{ id: '', sinceMs, acts: [{ kind: 1, body: row.envelope, order: new Uint8Array() }] }]
    })
  }

  #oldestMs(): number {
    const { clock, limits } = this.#components
    return clock.now() - limits.waitingMs
  }

  /** @throws JoinRejectedError */
  refuseRejected(publicKey: Uint8Array): void {
    const reason = this.#rejected.reason(publicKey)
    if (reason === undefined) return
    throw new JoinRejectedError(
      `the operator refused this machine${reason === '' ? '' : ` (${reason})`}: ask for an invite`
    )
  }

  /**
   * Puts the join on the list; one that is there keeps its place. On a full list the oldest gives way of the asker that has most there.
   * @throws InviteRequiredError when this network has no such list
   */
  async add(join: Signed<Join>, receipt: Uint8Array | undefined, asker?: string): Promise<void> {
    const { clock, commit, events, limits } = this.#components
    if (limits.pendingJoins === 0) {
      throw new InviteRequiredError('this network takes no one without an invite: ask its operator for one')
    }
    const { publicKey, name, role } = join.value
    const row: PendingRow = {
      publicKey,
      name,
      role: roles[role],
      envelope: join.bytes,
      receipt: receipt ?? null,
      sinceMs: clock.now()
    }
    const isNew = await commit.write(() => {
      this.#table.expire(this.#oldestMs())
      const held = this.#table.get(publicKey)
      if (held === undefined) this.#makeRoom()
      this.#table.put(row)
      return held === undefined
    })
    this.#askers.set(publicKey, asker)
    if (isNew) events.dispatchEvent(new CustomEvent('pending', { detail: pendingOf(row) }))
  }

  #makeRoom(): void {
    const keys = this.#table.keys()
    const oldest = keys.length < this.#components.limits.pendingJoins ? undefined : this.#askers.givesWay(keys)
    if (oldest !== undefined) this.#forget(oldest)
  }

  #forget(publicKey: Uint8Array): void {
    this.#table.delete(publicKey)
    this.#askers.delete(publicKey)
  }

  /**
   * By key, PeerId or name.
   * @throws NotFoundError, AmbiguousNameError when several wait under the name
   */
  find(who: Uint8Array | string): PendingRow {
    const rows = this.#rowsOf(who)
    const [row] = rows
    if (row === undefined) {
      const what = typeof who === 'string' ? who : peerIdText(who)
      throw new NotFoundError(`no join of ${what} waits: \`trustnet registry pending\` lists them`)
    }
    if (rows.length > 1) {
      const ids = rows.map(({ publicKey }) => peerIdText(publicKey)).join(', ')
      throw new AmbiguousNameError(`${rows.length} joins wait under the name ${row.name}: say which by PeerId (${ids})`)
    }
    return row
  }

  /** Refuses what is decided over another request than the one that waits. @throws NotFoundError, ChangedMeanwhileError */
  requireSame(publicKey: Uint8Array, join: Uint8Array): void {
    if (Buffer.compare(payloadHash(this.find(publicKey).envelope), payloadHash(join)) === 0) return
    throw new ChangedMeanwhileError('the machine has asked for something else since the operator looked: look again')
  }

  #rowsOf(who: Uint8Array | string): PendingRow[] {
    if (typeof who === 'string' && isName(who)) return this.#table.named(who)
    const row = this.#table.get(typeof who === 'string' ? publicKeyOf(who) : who)
    return row === undefined ? [] : [row]
  }

  /** @throws as find */
  async reject(who: Uint8Array | string, reason: string): Promise<void> {
    await this.#reject([this.find(who)], reason)
  }

  /** All that fit, in one commit. Gives how many these were. */
  async rejectAll(fits: (join: PendingJoin) => boolean, reason: string): Promise<number> {
    return await this.#reject(this.list().filter(fits), reason)
  }

  async #reject(joins: readonly { publicKey: Uint8Array }[], reason: string): Promise<number> {
    const { clock, commit, events, limits } = this.#components
    await commit.write(() => {
      for (const { publicKey } of joins) {
        this.#forget(publicKey)
        this.#rejected.put(publicKey, reason, clock.now())
      }
      this.#rejected.trim(limits.rejectedJoins)
    })
    for (const { publicKey } of joins) {
      events.dispatchEvent(new CustomEvent('rejected', { detail: { publicKey, reason } }))
    }
    return joins.length
  }

  /** Inside the commit that decides over the key otherwise. */
  clear(publicKey: Uint8Array): void {
    this.#forget(publicKey)
    this.#rejected.delete(publicKey)
  }
}

const pendingOf = ({ publicKey, name, role, sinceMs }: PendingRow): PendingJoin => ({
  publicKey,
  name,
  role: roleOrExternal(role),
  sinceMs
})
