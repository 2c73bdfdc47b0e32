import type { Role } from '../../identity/role.ts'
import type { TrustedMember } from '../engine/trust/connection-trust.ts'
import type { Hello as HelloMessage } from './pb/hello.ts'

/** Statement of a host about itself: all of it signed elsewhere, or of no weight. */
export interface HelloContent {
  /** Absent: a joiner that does not know its network yet. */
  networkId?: Uint8Array | undefined
  /** Envelope. */
  genesis?: Uint8Array | undefined
  /** Envelopes of the delegate and authority entries, in log order. */
  delegations?: Uint8Array[] | undefined
  /** Envelope of the newest verified one. */
  checkpoint?: Uint8Array | undefined
  /** Words of witnesses about it. */
  cosignatures?: Uint8Array[] | undefined
  /** Envelope of the own admit entry, and of the latest renew entry. */
  admit?: Uint8Array | undefined
  renew?: Uint8Array | undefined
  /** Envelope of the own registry-set entry. */
  registrySet?: Uint8Array | undefined
  role: Role
  software: string
}

/** Result of judging a hello. A stranger's status is what it is told. */
export type Verdict =
  | { readonly kind: 'member'; readonly member: TrustedMember }
  | { readonly kind: 'stranger'; readonly status: number; readonly reason: string }

export interface JudgeOptions {
  /** We chose this peer; else it chose us. */
  dialled: boolean
}

/** Source of the words that the hello service speaks, and judge of those of others. */
export interface HelloSource {
  local(): HelloContent
  /** The network ids are equal, or one of both is unknown: that is checked before. Never throws for what the remote sent. */
  judge(remote: HelloMessage, remoteKey: Uint8Array, options: JudgeOptions): Verdict | Promise<Verdict>
}
