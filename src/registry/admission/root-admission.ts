import { equals } from 'uint8arrays/equals'
import { at } from '../../identity/bytes.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import {
  InvalidPayloadError,
  InviteInvalidError,
  NameTakenError,
  NotFoundError,
  PendingError,
  UnavailableError
} from '../../runtime/errors.ts'
import { isDecided } from '../../runtime/failures.ts'
import type { Root } from '../log/log-writer.ts'
import type { Replica } from '../log/replica.ts'
import type { Member } from '../log/state/network-state.ts'
import type { Admit, AdmittedBy } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'
import type { Grant } from '../objects/grant.ts'
import { type Join, openJoin } from '../objects/join.ts'
import { givenBy } from '../objects/member-entries.ts'
import { type Invites, nameTaken } from './invites.ts'
import { fullRetryMs, type RegistryLimits } from './limits.ts'
import type { Author } from './orders/author.ts'
import type { PendingJoins } from './pending-joins.ts'
import { SingleFlight } from './single-flight.ts'

/** A join that was verified, with what it came with. */
export interface VerifiedJoin {
  join: Signed<Join>
  /** The open invite that it uses. */
  grant?: Grant
  /** Envelope of the registry that took it in, when that was another. */
  receipt?: Uint8Array
  /** From where it came. */
  asker?: string
}

export interface RootAdmissionComponents {
  root: Root
  replica: Replica
  invites: Invites
  pending: PendingJoins
  limits: RegistryLimits
  clock: Clock
}

/** The root's decisions: who is let in, at once or by the operator's word. */
export class RootAdmission {
  readonly #components: RootAdmissionComponents
  readonly #deciding = new SingleFlight<Uint8Array>()
  /** Names of admissions that are on their way to the disk. */
  readonly #claimed = new Set<string>()
  /** Let in without anybody's word, less what time gave back until `#openAtMs`. */
  #openJoins = 0
  #openAtMs = 0
  #wasOpen: boolean
  /** Time when the policy began to let everybody in, by what `letInWaiting` saw; undefined: it does not, or did so before this process began. */
  #openedMs: number | undefined

  constructor(components: RootAdmissionComponents) {
    this.#components = components
    this.#wasOpen = components.replica.state.policy.admission === 'open'
  }

  /** Gives the admit entry. @throws as Admission.join */
  decide(verified: VerifiedJoin): Promise<Uint8Array> {
    return this.#deciding.run(verified.join.value.publicKey, () => this.#decide(verified))
  }

  async #decide(verified: VerifiedJoin): Promise<Uint8Array> {
    const { pending } = this.#components
    const { join, grant, receipt, asker } = verified
    if (grant !== undefined) return this.#admit(verified, 'invite')
    pending.refuseRejected(join.value.publicKey)
    this.#refuseTaken(join.value, undefined)
    // A registry is asked and trusted with records by all others: an operator lets it in, also where everybody is.
    if (this.#isOpenTo(join.value)) return await this.#admitOpen(verified)
    await pending.add(join, receipt, asker)
    throw new PendingError('waits for the operator of the root, who runs `trustnet registry approve`')
  }

  /** A network of more members than anybody has looked at is open no more: its operator decides. */
  #isOpenTo({ role }: Pick<Join, 'role'>): boolean {
    const { limits, replica } = this.#components
    const { policy, memberCount } = replica.state
    return policy.admission === 'open' && role !== 'secondary' && memberCount < limits.openMembers
  }

  /** @throws UnavailableError when it let in as many as replicas can follow */
  #takeOpenJoin(): void {
    const { clock, limits } = this.#components
    const { count, perMs } = limits.openJoins
    const now = clock.monotonic()
    this.#openJoins = Math.max(0, this.#openJoins - ((now - this.#openAtMs) * count) / perMs)
    this.#openAtMs = now
    if (this.#openJoins + 1 > count) {
      throw new UnavailableError(
        `this open network let in ${count} machines without an invite in ${perMs / 1000} s: try later, or ask for an invite`,
        fullRetryMs
      )
    }
    this.#openJoins++
  }

  async #admitOpen(verified: VerifiedJoin): Promise<Uint8Array> {
    this.#takeOpenJoin()
    try {
      return await this.#admit(verified, 'open')
    } catch (error) {
      // Nobody was let in.
      this.#openJoins = Math.max(0, this.#openJoins - 1)
      throw error
    }
  }

  /**
   * Lets in those who waited when the policy opened, oldest first, until the network has let in as many as it may in this time. Who waits since then
   * waits for the operator's word: of an admission that a new epoch made void nothing proves when it was asked for. Gives how many.
   * @throws as Root.append
   */
  async letInWaiting(): Promise<number> {
    const { pending } = this.#components
    const openedMs = this.#openedSince()
    if (openedMs === undefined) return 0
    let count = 0
    // One after the other: each may take a name, or the last place.
    for (const { publicKey, name, role, sinceMs } of pending.list()) {
      if (sinceMs > openedMs) continue
      // Looked at each second: what waits on costs no signature and no commit.
      if (!this.#isOpenTo({ role }) || this.#waitsOn({ publicKey, name })) continue
      try {
        await this.#deciding.run(publicKey, () => this.#letIn(publicKey))
        count++
      } catch (error) {
        if (error instanceof UnavailableError) return count
        // Decided meanwhile; or it waits on, until an operator turns it away or the name becomes free.
        if (!isDecided(error) && !(error instanceof NotFoundError)) throw error
      }
    }
    return count
  }

  #openedSince(): number | undefined {
    const { clock, replica } = this.#components
    const isOpen = replica.state.policy.admission === 'open'
    if (isOpen && !this.#wasOpen) this.#openedMs = clock.now()
    if (!isOpen) this.#openedMs = undefined
    this.#wasOpen = isOpen
    return this.#openedMs
  }

  /** Tells whether the log would refuse it as it is now: the name is another's, or held, or the key was revoked. */
  #waitsOn({ publicKey, name }: Pick<Join, 'publicKey' | 'name'>): boolean {
    const { clock, replica } = this.#components
    const { state } = replica
    const holder = state.memberByName(name)
    if (holder !== undefined && !equals(holder.publicKey, publicKey)) return true
    const held = state.heldName(name)
    if (held !== undefined && clock.now() < held.timeMs + state.policy.nameHoldMs) return true
    return state.isRevoked(publicKey)
  }

  async #letIn(publicKey: Uint8Array): Promise<Uint8Array> {
    const { pending, replica } = this.#components
    const { envelope, receipt } = pending.find(publicKey)
    const join = openJoin(envelope, replica.networkId)
    this.#refuseTaken(join.value, undefined)
    return await this.#admitOpen({ join, ...(receipt !== null && { receipt }) })
  }

  /** @throws NotFoundError, AmbiguousNameError, NameTakenError */
  async approve(who: Uint8Array | string, author: Author): Promise<Uint8Array> {
    const { pending, replica } = this.#components
    const row = pending.find(who)
    const join = openJoin(row.envelope, replica.networkId)
    return this.#deciding.run(row.publicKey, () =>
      this.#admit({ join, ...(row.receipt !== null && { receipt: row.receipt }) }, 'approved', author)
    )
  }

  async #admit({ join, grant, receipt }: VerifiedJoin, via: AdmittedBy, author?: Author): Promise<Uint8Array> {
    const { clock, invites, pending, replica, root } = this.#components
    const { publicKey, name, role } = join.value
    const replaced = this.#refuseTaken(join.value, grant)
    const admit: Admit = {
      publicKey,
      name,
      role,
      notAfterMs: clock.now() + replica.state.policy.membershipMs,
      via,
      join: join.bytes,
      ...(grant !== undefined && { grantId: grant.id, ...givenBy(grant) }),
      ...(receipt !== undefined && { receipt })
    }
    this.#claimed.add(name)
    try {
      const entries = await (author ?? root).append(
        [...revocationOf(replaced, publicKey), { kind: 'admit', body: admit }],
        {
          inCommit: () => pending.clear(publicKey)
        }
      )
      return at(entries, entries.length - 1).bytes
    } catch (error) {
      // Somebody else took the last use at the same moment, or it was taken back.
      if (grant === undefined || !(error instanceof InviteInvalidError)) throw error
      throw invites.ended(grant.id)
    } finally {
      this.#claimed.delete(name)
    }
  }

  /** Gives the member whose place is taken. @throws NameTakenError */
  #refuseTaken({ name, publicKey }: Join, grant: Grant | undefined): Member | undefined {
    const { replica, root } = this.#components
    const holder = replica.state.memberByName(name)
    const replaces = grant?.replaces
    const replaced = replaces === undefined ? undefined : replica.state.memberByName(replaces)
    const isFree =
      holder === undefined ||
      equals(holder.publicKey, publicKey) ||
      (replaced !== undefined && equals(holder.publicKey, replaced.publicKey))
    if (!isFree) throw nameTaken(name, holder.publicKey)
    if (this.#claimed.has(name)) {
      throw new NameTakenError(`the name ${name} is just being given to another machine: take another name`)
    }
    if (replaced !== undefined && equals(replaced.publicKey, root.publicKey)) {
      throw new InvalidPayloadError('the root cannot be replaced by an invite: recover it instead')
    }
    return replaced
  }
}

const revocationOf = (replaced: Member | undefined, by: Uint8Array) =>
  replaced === undefined || equals(replaced.publicKey, by)
    ? []
    : [
        {
          kind: 'revoke' as const,
          body: { publicKey: replaced.publicKey, reason: `replaced by ${peerIdText(by)}` }
        }
      ]
