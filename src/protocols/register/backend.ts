import type { TypedEventTarget } from 'main-event'
import type { Checkpoint } from '../../registry/objects/checkpoint.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import type { RotateProofs } from '../../registry/objects/rotate.ts'
import type { TrustedMember } from '../engine/trust/connection-trust.ts'

/** The claim of a member to be online, held by its session. */
export interface SessionLease {
  /** @throws DuplicateInstanceError when another instance of the key has the lease by now */
  beat(beat: { connected?: readonly Uint8Array[]; rttMs?: number }): {
    leaseMs: number
    heartbeatMs: number
    contested: boolean
  }
  probeAnswered(rttMs: number): void
  probeUnanswered(): void
  lost(reason: string): void
  left(reason: string): void
  released(): void
}

interface JoinBundle {
  join: Uint8Array
  /** From where it came: the /48 of a joiner, or the registry that passed it on. */
  asker: string
  /** Receipt of the first registry, when it was not this one. */
  receipt?: Uint8Array
}

/** Events that joiners who were told PENDING wait for. */
export interface RegisterBackendEvents {
  admitted: CustomEvent<{ publicKey: Uint8Array; admit: Uint8Array }>
  rejected: CustomEvent<{ publicKey: Uint8Array; reason: string }>
}

/** The part of a registry that sessions are served from. */
export interface RegisterBackend {
  readonly networkId: Uint8Array
  readonly events: TypedEventTarget<RegisterBackendEvents>
  /** undefined when the key is no member now, as far as the replica goes. */
  member(publicKey: Uint8Array): TrustedMember | undefined
  /** Envelope of the entry that gave the key its membership. */
  admitOf(publicKey: Uint8Array): Uint8Array | undefined
  isRevoked(publicKey: Uint8Array): boolean
  /** True when the request, which is not verified yet, names an invite that is open here. */
  isInvited(join: Uint8Array): boolean
  join(bundle: JoinBundle): Promise<{ admit: Uint8Array }>
  /** Gives the entry that came of it. `signer`: the only key that may have signed. */
  renew(request: Uint8Array, signer?: Uint8Array): Promise<{ entry: Uint8Array }>
  forget(request: Uint8Array, signer?: Uint8Array): Promise<{ entry: Uint8Array }>
  rotate(proofs: RotateProofs, signer?: Uint8Array): Promise<{ entry: Uint8Array }>
  /** An entry that a newer epoch made void, or a revoke by the authority; gives the entry that came of it. `from`: who hands it over. */
  reissueEntry(entry: Uint8Array, from: Uint8Array): Promise<{ entry: Uint8Array }>
  /**
   * Resolves after the durable commit. `asker`: whose turn it is when many ask; `signer`: the only key that may have signed;
   * `onHeld`: called when it begins to wait for the admission of its key.
   * @throws StaleRecordError and what opening throws
   */
  put(record: Uint8Array, options: { asker: string; signer?: Uint8Array; onHeld?: () => void }): Promise<unknown>
  record(publicKey: Uint8Array): Uint8Array | undefined
  /** Envelopes of random records, at most `count`. */
  sample(count: number): Uint8Array[]
  /** Envelopes of the records of the root and the secondaries. */
  registries(): Uint8Array[]
  checkpoint(): Signed<Checkpoint> | undefined
  /** Words of witnesses about a checkpoint. */
  cosignatures(checkpoint: Signed<Checkpoint>): Uint8Array[]
  replicaAgeMs(): number
  /** @throws DuplicateInstanceError */
  openLease(publicKey: Uint8Array, instance: Uint8Array): SessionLease
}
