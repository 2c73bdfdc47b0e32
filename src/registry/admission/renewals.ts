import { equals } from 'uint8arrays/equals'
import { at } from '../../identity/bytes.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { InvalidPayloadError, LimitError, NotMemberError, RevokedError } from '../../runtime/errors.ts'
import type { Root } from '../log/log-writer.ts'
import { Pauses } from '../log/pauses.ts'
import type { Replica } from '../log/replica.ts'
import type { Member } from '../log/state/network-state.ts'
import { readStoredEntry } from '../log/state/stored-entry.ts'
import { entryKinds } from '../objects/entry.ts'
import { openForgetRequest } from '../objects/forget-request.ts'
import { openRenewRequest } from '../objects/renew-request.ts'
import { openRotateRequest, openRotation, type RotateProofs, type RotateRequest } from '../objects/rotate.ts'
import { renewableShare, rotations } from './limits.ts'
import { SingleFlight } from './single-flight.ts'

export interface RenewalsComponents {
  replica: Replica
  clock: Clock
  root?: Root
}

/** A request that is right, with what is answered at once; without an answer the root must append. */
export interface Judged {
  publicKey: Uint8Array
  entry?: Uint8Array
}

/** Requests of members for themselves: to stay, to be forgotten, and to go on with another key. */
export class Renewals {
  readonly #components: RenewalsComponents
  readonly #pauses: Pauses
  readonly #appending = new SingleFlight<Uint8Array>()

  constructor(components: RenewalsComponents) {
    this.#components = components
    this.#pauses = new Pauses(components.replica.ledger.meta)
  }

  /**
   * A renewal that is there already, or not due yet, is answered with the newest entry of the member.
   * @throws RevokedError, NotMemberError, InvalidPayloadError and what opening throws
   */
  judgeRenewal(bytes: Uint8Array, signer?: Uint8Array): Judged {
    const { clock, replica } = this.#components
    const { membershipMs, returnGraceMs } = replica.state.policy
    const request = openRenewRequest(bytes, replica.networkId, signer === undefined ? {} : { signer })
    const { publicKey, notAfterMs } = request.value
    const member = this.#member(publicKey)
    const newest = (member.renew ?? member.admit).bytes
    if (notAfterMs < member.notAfterMs) return { publicKey, entry: newest }
    if (notAfterMs > member.notAfterMs) {
      // Another registry may know less of the log than the member does.
      if (!this.#isRoot) return { publicKey }
      throw new InvalidPayloadError('the renewal is for a membership that the log does not know: sync, then ask again')
    }
    const leftMs = member.notAfterMs - clock.now()
    if (leftMs > membershipMs * renewableShare) return { publicKey, entry: newest }
    // Only the root knows the pauses in which it signed nothing.
    const isLate = this.#isRoot && this.#pauses.awakeMs(member.notAfterMs, clock.now()) > returnGraceMs
    if (isLate) throw ended(publicKey)
    return { publicKey }
  }

  /** A root that was replaced asks the new one, as any other registry does. */
  get #isRoot(): boolean {
    const { root } = this.#components
    return root !== undefined && !root.isReplaced
  }

  /** @throws RevokedError, NotMemberError */
  #member(publicKey: Uint8Array): Member {
    const { state } = this.#components.replica
    if (state.isRevoked(publicKey)) throw revoked(publicKey)
    const member = state.member(publicKey)
    if (member === undefined) throw new NotMemberError(`${peerIdText(publicKey)} is no member: join with an invite`)
    return member
  }

  /** At the root. Gives the renew entry. */
  async appendRenewal(root: Root, publicKey: Uint8Array, request: Uint8Array): Promise<Uint8Array> {
    const { clock, replica } = this.#components
    return this.#appending.run(publicKey, async () => {
      const notAfterMs = clock.now() + replica.state.policy.membershipMs
      const entries = await root.append([{ kind: 'renew', body: { publicKey, notAfterMs, request } }])
      return at(entries, 0).bytes
    })
  }

  /**
   * One of a membership that is over, or of an earlier one, is answered without an entry: `entry` is empty.
   * @throws InvalidEnvelopeError … as opening
   */
  judgeForget(bytes: Uint8Array, signer?: Uint8Array): Judged {
    const { replica } = this.#components
    const options = signer === undefined ? {} : { signer }
    const { publicKey, membership } = openForgetRequest(bytes, replica.networkId, options).value
    const member = replica.state.member(publicKey)
    // A registry that is not the root may not know the newest membership yet.
    const isOver = member === undefined || (this.#isRoot && !equals(member.admit.hash, membership))
    return isOver || replica.state.isRevoked(publicKey) ? { publicKey, entry: new Uint8Array(0) } : { publicKey }
  }

  /**
   * A rotation that stands in the log already is answered with its entry. `signer`: the only key that may be the old one.
   * @throws RevokedError, NotMemberError and what opening throws; LimitError at the root
   */
  judgeRotation(proofs: RotateProofs, signer?: Uint8Array): RotateRequest & Pick<Judged, 'entry'> {
    const { replica } = this.#components
    const options = signer === undefined ? {} : { signer }
    const { oldKey, newKey } = openRotateRequest(proofs.proofOld, replica.networkId, options).value
    const request = openRotation({ ...proofs, oldKey, newKey }, replica.networkId)
    const { value, bytes } = replica.state.member(newKey)?.admit ?? {}
    if (bytes !== undefined && value?.kind === 'rotate' && equals(value.body.oldKey, oldKey))
      return { ...request, entry: bytes }
    this.#member(oldKey)
    if (replica.state.isRevoked(newKey)) throw revoked(newKey)
    if (this.#isRoot) this.#requireRest(oldKey)
    return request
  }

  /** @throws LimitError for a member that changes its key without end: each is an entry for all time, and each key has rates of its own */
  #requireRest(publicKey: Uint8Array): void {
    const { clock, replica } = this.#components
    let key = publicKey
    for (let made = 0; made < rotations.count; made++) {
      const rotated = replica.ledger.table.about(key).findLast(({ kind }) => kind === entryKinds.rotate)
      const entry = rotated && readStoredEntry(rotated.envelope).value
      if (entry?.kind !== 'rotate' || entry.timeMs <= clock.now() - rotations.perMs) return
      key = entry.body.oldKey
    }
    throw new LimitError(`${rotations.count} new keys of this member within a day: wait, then change it again`)
  }
}

export const revoked = (publicKey: Uint8Array): RevokedError =>
  new RevokedError(`${peerIdText(publicKey)} was revoked, for ever: make a new key and ask for an invite`)

const ended = (publicKey: Uint8Array): NotMemberError =>
  new NotMemberError(`the membership of ${peerIdText(publicKey)} ended too long ago: join again with an invite`)
