import type { TypedEventTarget } from 'main-event'
import { equals } from 'uint8arrays/equals'
import { peerIdText, type SigningKey } from '../../identity/keys.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import {
  InvalidPayloadError,
  NotFoundError,
  PendingError,
  RefusedError,
  UnavailableError
} from '../../runtime/errors.ts'
import { isDecided } from '../../runtime/failures.ts'
import type { JoinEvents, PendingJoin } from '../events.ts'
import type { Root } from '../log/log-writer.ts'
import type { Replica } from '../log/replica.ts'
import type { GrantRow } from '../log/state/network-state.ts'
import { openJoin } from '../objects/join.ts'
import type { Policy } from '../objects/policy/policy.ts'
import type { RotateProofs } from '../objects/rotate.ts'
import type { Database } from '../store/database.ts'
import type { GroupCommit } from '../store/group-commit.ts'
import { type InviteOptions, Invites, type IssuedInvite } from './invites.ts'
import { JoinJudge } from './join-judge.ts'
import type { RegistryLimits } from './limits.ts'
import { MemberChanges } from './member-changes.ts'
import { OfferedRevokes } from './offered-revokes.ts'
import type { Author } from './orders/author.ts'
import { notRoot, rootReplaced } from './orders/not-root.ts'
import { OrderDesk } from './orders/order-desk.ts'
import { Orders } from './orders/orders.ts'
import { PendingJoins } from './pending-joins.ts'
import { PolicyChanges, type PolicyOptions } from './policy-changes.ts'
import { reissueEntry } from './reissue-entry.ts'
import { Renewals, revoked } from './renewals.ts'
import { RootAbsence } from './root-absence.ts'
import { RootAdmission } from './root-admission.ts'
import { type Forward, type QueuedJoin, type RootRequest, RootRequestQueue } from './root-request-queue.ts'

/** A request to join, as a joiner or a forwarding registry sends it: envelopes. */
export interface JoinBundle {
  join: Uint8Array
  /** From where it came: a site, or the registry that passed it on. */
  asker?: string
  /** Receipt of the registry that took the join in, when it was forwarded. */
  receipt?: Uint8Array
}

export interface AdmissionInit {
  limits: RegistryLimits
  nodeKey: SigningKey
}

export interface AdmissionComponents {
  db: Database
  commit: GroupCommit
  replica: Replica
  root?: Root
  clock: Clock
  logger: Logger
  events: TypedEventTarget<JoinEvents>
}

const heldBackRetryMs = 5_000
const heldBackReason =
  'the admission of this key is older than the grace of the policy and too few witnesses have seen it: it counts again when they have; `trustnet registry checkpoint` at a registry names those that have'

/**
 * Decides who becomes, stays and ceases to be a member. The root decides; any other registry verifies, asks the root, and keeps what it
 * verified while the root is away.
 */
export class Admission {
  /** The way to the root for a registry that is not it: comes and goes with the node's sessions. */
  forward: Forward | undefined
  /** Void revokes and ends that wait for the operator of the root. */
  readonly offered: OfferedRevokes
  /** Changes that the operator of the root makes to members. */
  readonly members: MemberChanges
  /** The people who may change all this. */
  readonly orders: Orders
  /** Told by whoever has the connections. */
  readonly absence: RootAbsence
  readonly #components: AdmissionComponents
  readonly #invites: Invites
  readonly #joins: JoinJudge
  readonly #pending: PendingJoins
  readonly #queue: RootRequestQueue
  readonly #renewals: Renewals
  readonly #rootAdmission: RootAdmission | undefined
  readonly #policyChanges: PolicyChanges

  constructor(init: AdmissionInit, components: AdmissionComponents) {
    const { limits, nodeKey } = init
    const parts = { ...components, limits }
    this.#components = components
    const { clock, replica } = components
    this.absence = new RootAbsence(clock, replica.checkpoint?.value.timeMs ?? clock.now())
    this.offered = new OfferedRevokes(components)
    const author = (given: Author | undefined): Author => this.orders.author(given)
    this.members = new MemberChanges({ replica, root: () => this.#requireRoot(), author })
    this.#policyChanges = new PolicyChanges(replica, author)
    this.#invites = new Invites(parts)
    this.#joins = new JoinJudge({
      replica,
      clock,
      nodeKey,
      invites: this.#invites,
      absence: this.absence,
      root: () => this.#root
    })
    this.#pending = new PendingJoins(parts)
    this.#queue = new RootRequestQueue(parts)
    this.#renewals = new Renewals(components)
    const { root } = components
    let desk: OrderDesk | undefined
    if (root !== undefined) {
      this.#rootAdmission = new RootAdmission({
        ...parts,
        root,
        invites: this.#invites,
        pending: this.#pending
      })
      desk = new OrderDesk({ ...parts, root, pending: this.#pending, rootAdmission: this.#rootAdmission })
      components.replica.events.addEventListener('checkpoint', () => {
        inBackground(this.#invites.clearExpired(root), 'clearing invites that are over')
      })
    }
    this.orders = new Orders({ replica, desk, pending: this.#pending }, () => this.#requireRoot())
  }

  /**
   * Lets the joiner in and gives its admit entry. One that is a member already gets its entry again, whatever became of the invite.
   *
   * @throws PendingError when the join waits, for the operator or for the root
   * @throws InviteRequiredError, InviteInvalidError, InviteExpiredError, InviteUsedError, WrongNetworkError, NameTakenError,
   * RevokedError, JoinRejectedError
   * @throws UnavailableError when a list here is full
   */
  async join(bundle: JoinBundle): Promise<{ admit: Uint8Array }> {
    const { replica } = this.#components
    const join = openJoin(bundle.join, replica.networkId)
    const { publicKey } = join.value
    if (join.value.role === 'root') throw new InvalidPayloadError('nobody joins as root: a secondary is promoted to it')
    if (replica.state.isRevoked(publicKey)) throw revoked(publicKey)
    const member = replica.state.member(publicKey)
    if (member !== undefined && replica.isMember(publicKey)) return { admit: member.admit.bytes }
    if (replica.isHeldBack(publicKey)) throw new UnavailableError(heldBackReason, heldBackRetryMs)
    const received = this.#joins.receive(join, bundle.receipt)
    const grant = this.#joins.judgeInvite(join, received.timeMs)
    const { receipt } = received
    if (this.#rootAdmission !== undefined && this.#root !== undefined) {
      const { asker } = bundle
      const verified = {
        join,
        ...(grant !== undefined && { grant }),
        ...(receipt !== undefined && { receipt }),
        ...(asker !== undefined && { asker })
      }
      return { admit: await this.#rootAdmission.decide(verified) }
    }
    const request: RootRequest = { kind: 'join', join: join.bytes, ...(receipt !== undefined && { receipt }) }
    return {
      admit: await this.#ask(publicKey, request, {
        beforeQueued: () => this.#joins.requireQueueable(join.value, grant),
        asker: bundle.asker
      })
    }
  }

  /** Asks the root; keeps the request when there is none. */
  async #ask(
    publicKey: Uint8Array,
    request: RootRequest,
    { beforeQueued, asker }: { beforeQueued?: () => void; asker?: string | undefined } = {}
  ): Promise<Uint8Array> {
    const { logger } = this.#components
    try {
      return await this.#forward(request)
    } catch (error) {
      if (isDecided(error)) throw error
      logger.debug(
        { peer: peerIdText(publicKey), request: request.kind, error: String(error) },
        'the root cannot be asked: the request is queued'
      )
    }
    beforeQueued?.()
    await this.#queue.add(publicKey, request, asker)
    throw new PendingError('the root is away: the request is kept here and sent when it is back')
  }

  async #forward(request: RootRequest): Promise<Uint8Array> {
    if (this.forward === undefined) throw new UnavailableError('there is no session with the root', 1000)
    return (await this.forward(request)).entry
  }

  /** Sends what is queued; call it when the root can be reached again. Gives the number of requests that the root decided. */
  replayQueue(): Promise<number> {
    return this.#queue.replay(
      (request) => this.#submit(request),
      () => this.#root === undefined && this.forward === undefined
    )
  }

  /** A registry that became the root decides over its own queue. */
  async #submit(request: RootRequest): Promise<{ entry: Uint8Array }> {
    return this.#root === undefined ? { entry: await this.#forward(request) } : await this.decide(request)
  }

  /** Takes a request of any kind. @throws as the method of its kind */
  async decide(request: RootRequest): Promise<{ entry: Uint8Array }> {
    if (request.kind === 'join') return { entry: (await this.join(request)).admit }
    if (request.kind === 'rotate') return await this.rotate(request)
    return await (request.kind === 'renew' ? this.renew(request.request) : this.forget(request.request))
  }

  /** Requests that wait here for the root. */
  get queued(): number {
    return this.#queue.size
  }

  /** Those of them that are joins, oldest first. */
  queuedJoins(): QueuedJoin[] {
    return this.#queue.joins()
  }

  /**
   * A member's request to stay; gives the entry of its membership. `signer`: the only key that may have signed it.
   * @throws RevokedError, NotMemberError, PendingError while the root is away
   */
  async renew(request: Uint8Array, signer?: Uint8Array): Promise<{ entry: Uint8Array }> {
    const root = this.#root
    const { publicKey, entry } = this.#renewals.judgeRenewal(request, signer)
    if (entry !== undefined) return { entry }
    if (root !== undefined) return { entry: await this.#renewals.appendRenewal(root, publicKey, request) }
    return { entry: await this.#ask(publicKey, { kind: 'renew', request }) }
  }

  /**
   * A member's request to end its own membership. `entry` is empty when it has ended already.
   * @throws PendingError while the root is away
   */
  async forget(request: Uint8Array, signer?: Uint8Array): Promise<{ entry: Uint8Array }> {
    const root = this.#root
    const { publicKey, entry } = this.#renewals.judgeForget(request, signer)
    if (entry !== undefined) return { entry }
    if (root !== undefined) return { entry: (await this.members.endUnasked(publicKey, 'left for good', request)).bytes }
    return { entry: await this.#ask(publicKey, { kind: 'forget', request }) }
  }

  /**
   * A member's request to go on with another key: name, role and end of the membership stay, the old key is shut out for ever.
   * @throws PendingError while the root is away; RevokedError, NotMemberError, LogMismatchError
   */
  async rotate({ proofOld, proofNew }: RotateProofs, signer?: Uint8Array): Promise<{ entry: Uint8Array }> {
    const { oldKey, newKey, entry } = this.#renewals.judgeRotation({ proofOld, proofNew }, signer)
    if (entry !== undefined) return { entry }
    const root = this.#root
    if (root === undefined) return { entry: await this.#ask(oldKey, { kind: 'rotate', proofOld, proofNew }) }
    return { entry: await this.members.rotate({ oldKey, newKey, proofOld, proofNew }) }
  }

  /**
   * Issues an invite.
   * @throws NotRootError elsewhere; InvalidPayloadError, NotFoundError, NameTakenError, LimitError
   */
  async invite(options: InviteOptions, by?: Author): Promise<IssuedInvite> {
    const { replica } = this.#components
    const author = this.orders.author(by)
    const replaced = options.replaces === undefined ? undefined : replica.state.memberByName(options.replaces)
    if (replaced !== undefined && this.#isRootKey(replaced.publicKey)) {
      throw new InvalidPayloadError('the root cannot be replaced by an invite: recover it instead')
    }
    return this.#invites.issue(options, author, this.#root)
  }

  /** The invites of the log. */
  get invites(): Pick<Invites, 'list' | 'find' | 'usersOf' | 'takenBack'> {
    return this.#invites
  }

  /**
   * Takes back the open invite whose id in hex begins so.
   * @throws NotRootError elsewhere; NotFoundError, AmbiguousNameError
   */
  async cancelInvite(id: string, reason: string, by?: Author): Promise<GrantRow> {
    return await this.#invites.cancel(id, reason, this.orders.author(by))
  }

  /**
   * Puts some values of the policy in place of those that count now. One that locks members out takes `force`.
   * @throws NotRootError elsewhere; InvalidPayloadError
   */
  async changePolicy(changes: Partial<Policy>, options: PolicyOptions = {}): Promise<Policy> {
    return await this.#policyChanges.change(changes, options)
  }

  /** Joins that wait for the operator, oldest first. Only the root has any. */
  pending(): PendingJoin[] {
    return this.#pending.list()
  }

  /** Lets in those who wait and need nobody's word any more, as the policy has changed. Gives how many. @throws as Root.append */
  async letInWaiting(): Promise<number> {
    return this.#root === undefined ? 0 : ((await this.#rootAdmission?.letInWaiting()) ?? 0)
  }

  /**
   * Lets in one that waits, by key, PeerId or name.
   * @throws NotRootError, NotFoundError, AmbiguousNameError, NameTakenError
   */
  async approve(who: Uint8Array | string): Promise<{ admit: Uint8Array }> {
    if (this.#rootAdmission === undefined) throw notRoot()
    return { admit: await this.#rootAdmission.approve(who, this.orders.author()) }
  }

  /**
   * Refuses one that waits, by key, PeerId or name. Without an invite it is refused from now on.
   * @throws NotRootError, NotFoundError, AmbiguousNameError
   */
  async reject(who: Uint8Array | string, reason: string): Promise<void> {
    this.#requireRoot()
    await this.#pending.reject(who, reason)
  }

  /**
   * Refuses all that wait and fit, in one commit. Gives how many these were.
   * @throws NotRootError
   */
  async rejectAll(fits: (join: PendingJoin) => boolean, reason: string): Promise<number> {
    this.#requireRoot()
    return await this.#pending.rejectAll(fits, reason)
  }

  /**
   * Ends a membership by the operator's word, for ever. Nothing happens when that was done before.
   * @throws NotRootError, NotFoundError, RefusedError for the root itself
   */
  async revoke(publicKey: Uint8Array, reason: string, by?: Author): Promise<void> {
    const { replica } = this.#components
    const author = this.orders.author(by)
    if (replica.state.isRevoked(publicKey)) return
    const member = replica.state.member(publicKey)
    if (member === undefined) {
      throw new NotFoundError(`${peerIdText(publicKey)} is no member: \`trustnet peers\` lists them`)
    }
    if (this.#isRootKey(publicKey)) {
      throw new RefusedError('the root cannot be revoked: promote a secondary first')
    }
    await author.append([{ kind: 'revoke', body: { publicKey, reason, name: member.name } }], {
      inCommit: () => this.#pending.clear(publicKey)
    })
  }

  /**
   * An entry that a newer epoch made void, or a revoke that the authority signed; gives the entry that came of it. `from`: who hands it over.
   * @throws as reissueEntry
   */
  reissueEntry(entry: Uint8Array, from?: Uint8Array): Promise<{ entry: Uint8Array }> {
    const { replica, events } = this.#components
    const components = { replica, events, pending: this.#pending, offered: this.offered, root: this.#root }
    return reissueEntry(entry, components, from)
  }

  #isRootKey(publicKey: Uint8Array): boolean {
    const root = this.#components.replica.state.rootRegistry()
    return root !== undefined && equals(publicKey, root.publicKey)
  }

  /** A root that was replaced asks the new one, as any other registry does. */
  get #root(): Root | undefined {
    const { root } = this.#components
    return root?.isReplaced === true ? undefined : root
  }

  #requireRoot(): Root {
    const { root } = this.#components
    if (root === undefined) throw notRoot()
    if (root.isReplaced) throw rootReplaced()
    return root
  }
}
