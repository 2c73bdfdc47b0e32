import { equals } from 'uint8arrays/equals'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import type { ObservedMember } from './member.ts'
import { plainReason } from './observation.ts'
import type { Observations } from './observations.ts'
import { reputationAfterReject, reputationAfterServed } from './score.ts'

/** Characters of an address. */
const maxAddressChars = 256

export interface MemberNotesInit {
  readonly clock: Clock
  readonly network: { readonly self: Uint8Array; readonly isMember: (publicKey: Uint8Array) => boolean }
  readonly observations: Pick<Observations, 'member'>
  /** There is more to be kept of a member. */
  readonly onNote: (member: ObservedMember) => void
}

/** Experience of this node with each member: how it became known, dials, and requests. It says nothing of whether a member is up. */
export class MemberNotes {
  readonly #init: MemberNotesInit

  constructor(init: MemberNotesInit) {
    this.#init = init
  }

  /** Notes how it became known, when it was not yet. */
  learned(publicKey: Uint8Array, from: string): void {
    this.#note(publicKey, (member) => {
      member.learnedFrom ||= from
    })
  }

  /** A connection was made through this address. One that names an interface is not kept: on another link it is another machine's. */
  connected(publicKey: Uint8Array, address: string): void {
    this.#note(publicKey, (member) => {
      if (!address.startsWith('/ip6zone/')) member.lastAddress = address.slice(0, maxAddressChars)
      member.lastConnectedMs = this.#init.clock.now()
    })
  }

  /** It could not be dialled. */
  failed(publicKey: Uint8Array, error: string): void {
    this.#note(publicKey, (member) => {
      member.lastError = plainReason(error)
      member.lastErrorMs = this.#init.clock.now()
    })
  }

  /** It answered a request of ours. */
  served(publicKey: Uint8Array): void {
    this.#note(publicKey, (member) => {
      member.reputation = reputationAfterServed(member.reputation)
    })
  }

  /** It sent something that had to be rejected. */
  rejected(publicKey: Uint8Array): void {
    this.#note(publicKey, (member) => {
      member.reputation = reputationAfterReject(member.reputation)
    })
  }

  #note(publicKey: Uint8Array, change: (member: ObservedMember) => void): void {
    if (equals(publicKey, this.#init.network.self) || !this.#init.network.isMember(publicKey)) return
    const member = this.#init.observations.member(publicKey)
    change(member)
    this.#init.onNote(member)
  }
}
