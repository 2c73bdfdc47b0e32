import type { TypedEventTarget } from 'main-event'
import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { Role } from '../../identity/role.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import type { RegistryEvents } from '../events.ts'
import type { Liveness } from '../liveness/liveness.ts'
import type { Replica } from '../log/replica.ts'
import type { LogEntry } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'
import { KeyGroups } from '../records/key-groups.ts'
import type { Records } from '../records/records.ts'
import { KeyOrder } from '../records/sorted-keys.ts'
import { LookAlikes } from './look-alike.ts'

/** Memberships that ended by time are looked for at most this often. */
const sweepMs = 60_000

export interface MembershipFollowerComponents {
  replica: Replica
  records: Records
  liveness: Liveness
  clock: Clock
  logger: Logger
  events: TypedEventTarget<RegistryEvents>
}

/** Carries what the log says about members to where it matters: a record and all observations end with the membership. */
export class MembershipFollower {
  readonly #components: MembershipFollowerComponents
  #order: KeyOrder
  readonly #byRole = new KeyGroups<Role>()
  /** There once somebody has asked. */
  #looks: LookAlikes | undefined
  #sweptAt = Number.NEGATIVE_INFINITY

  constructor(components: MembershipFollowerComponents) {
    const { replica } = components
    this.#components = components
    this.#order = this.#orderNow()
    replica.events.addEventListener('entries', ({ detail }) => {
      for (const entry of detail.entries) this.#take(entry)
    })
    replica.events.addEventListener('enforced', ({ detail }) => this.#ended(detail.publicKey))
    replica.events.addEventListener('lifted', ({ detail }) => {
      const member = replica.state.member(detail.publicKey)
      if (member !== undefined) this.#admitted(detail.publicKey, member.admit.bytes)
    })
    replica.events.addEventListener('reset', () => this.#reset())
    replica.events.addEventListener('checkpoint', () => this.#sweep())
    // A crash may have come between the end of a membership and that of its record.
    this.#forgetFormer()
  }

  /** Keys that were admitted and not revoked, above `after`, ascending. */
  keysAfter(after: Uint8Array | undefined, limit: number): Uint8Array[] {
    return this.#order.after(after, limit)
  }

  /** The same of one role. */
  keysOfRole(role: Role, after: Uint8Array | undefined, limit: number): Uint8Array[] {
    return this.#byRole.after(role, after, limit)
  }

  /** Names of members that look like this one and are not it. */
  namesLike(name: string): string[] {
    this.#looks ??= new LookAlikes(this.#namesNow())
    return this.#looks.of(name)
  }

  *#namesNow(): Iterable<[string, string]> {
    const { state } = this.#components.replica
    for (const { publicKey, name } of state.members()) {
      if (!state.isRevoked(publicKey)) yield [keyId(publicKey), name]
    }
  }

  #orderNow(): KeyOrder {
    const { state } = this.#components.replica
    const keys = [...state.members()].map(({ publicKey }) => publicKey)
    for (const publicKey of keys) this.#place(publicKey)
    return new KeyOrder(keys.filter((publicKey) => !state.isRevoked(publicKey)))
  }

  #place(publicKey: Uint8Array): void {
    const { state } = this.#components.replica
    const member = state.isRevoked(publicKey) ? undefined : state.member(publicKey)
    this.#byRole.put(publicKey, member?.role)
    this.#looks?.put(keyId(publicKey), member?.name)
  }

  #take({ value, bytes }: Signed<LogEntry>): void {
    switch (value.kind) {
      case 'admit':
        this.#admitted(value.body.publicKey, bytes)
        break
      case 'revoke':
      case 'end':
        this.#ended(value.body.publicKey)
        break
      case 'rotate':
        this.#ended(value.body.oldKey)
        this.#admitted(value.body.newKey, bytes)
        break
      case 'registrySet':
      case 'change':
        this.#place(value.body.publicKey)
        break
      default:
    }
  }

  #admitted(publicKey: Uint8Array, admit: Uint8Array): void {
    const { events, records, replica } = this.#components
    // By the authority, which the root does not know yet.
    if (replica.state.isRevoked(publicKey)) return
    this.#order.add(publicKey)
    this.#place(publicKey)
    records.admitted(publicKey)
    events.dispatchEvent(new CustomEvent('admitted', { detail: { publicKey, admit } }))
  }

  #ended(publicKey: Uint8Array): void {
    this.#forget(publicKey)
    // Admitted again in the same batch: its record is over all the same, as everywhere else.
    if (this.#components.replica.isMember(publicKey)) return
    this.#order.delete(publicKey)
    this.#byRole.put(publicKey, undefined)
    this.#looks?.put(keyId(publicKey), undefined)
    this.#components.events.dispatchEvent(new CustomEvent('ended', { detail: { publicKey } }))
  }

  #forget(publicKey: Uint8Array): void {
    const { liveness, logger, records } = this.#components
    liveness.forget(publicKey)
    records.forget(publicKey).catch((error: unknown) => {
      logger.warn(
        { peer: peerIdText(publicKey), error: String(error) },
        'the record of a former member could not be deleted: it is not shown, and deleted when the log is replaced'
      )
    })
  }

  /** The log was replaced as a whole: what differs from before is told as if it had come entry by entry. */
  #reset(): void {
    const { replica } = this.#components
    const before = this.#order
    this.#looks = undefined
    this.#order = this.#orderNow()
    for (const publicKey of before.after(undefined, before.size)) {
      const isOut = replica.state.member(publicKey) === undefined || replica.state.isRevoked(publicKey)
      if (isOut) this.#ended(publicKey)
    }
    // The first snapshot makes everybody a member, which is no news to anyone here.
    if (before.size > 0) {
      const known = new Set(before.after(undefined, before.size).map(peerIdText))
      for (const { publicKey, admit } of replica.state.members()) {
        if (!known.has(peerIdText(publicKey))) this.#admitted(publicKey, admit.bytes)
      }
    }
    this.#forgetFormer()
  }

  #forgetFormer(): void {
    const { records, replica } = this.#components
    const former = [...records.keys()].filter((publicKey) => !replica.isMember(publicKey))
    for (const publicKey of former) this.#forget(publicKey)
  }

  #sweep(): void {
    const { clock, records, replica } = this.#components
    if (clock.monotonic() - this.#sweptAt < sweepMs) return
    this.#sweptAt = clock.monotonic()
    const { timeMs } = replica
    for (const { publicKey, notAfterMs } of replica.state.members()) {
      if (notAfterMs < timeMs && records.get(publicKey) !== undefined) this.#forget(publicKey)
    }
  }
}
