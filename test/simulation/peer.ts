import type { SigningKey } from '../../src/identity/keys.ts'
import type { IssuedInvite } from '../../src/registry/admission/invites.ts'
import { openEntry } from '../../src/registry/objects/entry.ts'
import { sealForgetRequest } from '../../src/registry/objects/forget-request.ts'
import { makeJoin } from '../../src/registry/objects/join.ts'
import { sealRecord } from '../../src/registry/objects/record.ts'
import { sealRenewRequest } from '../../src/registry/objects/renew-request.ts'
import type { Position } from './audit.ts'
import { beginMs } from './machine.ts'

/** Somebody who wants to be a member, and believes what it is told. */
export class Peer {
  readonly name: string
  readonly key: SigningKey
  readonly #networkId: Uint8Array
  readonly #invite: IssuedInvite | undefined
  #seq = 0
  /** The admit entry that it was given: no fault may take that away. */
  admitted: Position | undefined
  /** A revocation of its key that somebody was told is done. */
  revoked: Position | undefined
  /** An end of its membership that somebody was told is done. */
  ended: Position | undefined
  /** The newest of its records that a registry took. */
  shown: { seq: number; at: string } | undefined

  constructor(name: string, key: SigningKey, networkId: Uint8Array, invite: IssuedInvite | undefined) {
    this.name = name
    this.key = key
    this.#networkId = networkId
    this.#invite = invite
  }

  join(): { join: Uint8Array } {
    const { key, name } = this
    const request = { networkId: this.#networkId, key, name, role: 'integrated', timeMs: beginMs } as const
    const invite = this.#invite
    if (invite === undefined) return { join: makeJoin(request) }
    const { grant, inviteKey } = invite
    return { join: makeJoin({ ...request, grant, inviteKey }) }
  }

  /** Its next record. */
  record(): { bytes: Uint8Array; seq: number } {
    const seq = ++this.#seq
    const { bytes } = sealRecord(
      {
        networkId: this.#networkId,
        publicKey: this.key.publicKey,
        seq,
        addrs: [`/ip6/2001:db8::${seq.toString(16)}/tcp/9000`],
        roles: ['integrated'],
        services: [],
        tags: [],
        software: 'simulation',
        reach: 'unknown',
        left: false,
        issuedMs: beginMs
      },
      this.key
    )
    return { bytes, seq }
  }

  renewal(notAfterMs: number): Uint8Array {
    const { publicKey } = this.key
    return sealRenewRequest({ networkId: this.#networkId, publicKey, notAfterMs }, this.key).bytes
  }

  goodbye(membership: Uint8Array): Uint8Array {
    return sealForgetRequest({ networkId: this.#networkId, publicKey: this.key.publicKey, membership }, this.key).bytes
  }

  /** Where an entry stands that it was shown. */
  positionOf(entry: Uint8Array): Position {
    const { epoch, n } = openEntry(entry, this.#networkId).value
    return { epoch, n }
  }
}
