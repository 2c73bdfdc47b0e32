import type { TypedEventTarget } from 'main-event'
import type { RotateProofs } from '../../registry/objects/rotate.ts'

export interface RegisterCall {
  /** Envelope of the own record. */
  record: Uint8Array
  /** Envelope of the join request, while not admitted. */
  join?: Uint8Array | undefined
  /** 16 random bytes of this process. */
  instance: Uint8Array
}

export interface Registered {
  /** Envelope of the own admit entry. */
  admit: Uint8Array
  leaseMs: number
  heartbeatMs: number
  /** Envelopes of the records of some members, and of the registries. */
  peers: Uint8Array[]
  registries: Uint8Array[]
  /** Envelope of the registry's newest one. */
  checkpoint: Uint8Array | undefined
  /** Multiaddr bytes: from where the registry sees this session come. */
  observed: Uint8Array | undefined
  /** Envelope of the record that the registry holds for this key. */
  record: Uint8Array | undefined
  /** Age of the registry's replica, ms: so long ago it was surely up to date. */
  replicaAgeMs: number
}

export interface HeartbeatCall {
  /** Envelope of the newest verified checkpoint. It travels only when it is another than the last time. */
  checkpoint?: Uint8Array | undefined
  /** The own word about it, where this node is a witness. */
  cosignatures?: Uint8Array[]
  /** Seq of the own record. */
  seq: number
  /** Keys of connected members, 32 at most. */
  connected?: Uint8Array[]
}

export interface HeartbeatResult {
  leaseMs: number
  heartbeatMs: number
  /** Envelope, when the registry's is newer than the one shown. */
  checkpoint: Uint8Array | undefined
  /** Words of witnesses about it. */
  cosignatures: Uint8Array[]
  replicaAgeMs: number
  /** Another process with this key asked for the lease and was refused. */
  contested: boolean
}

export interface ForwardCall {
  join: Uint8Array
  receipt?: Uint8Array | undefined
}

export interface SessionCallOptions {
  signal?: AbortSignal
}

/** The end of a session and its reason. */
export interface SessionEnd {
  reason: string
  /** Status that the registry gave last, where it said why. */
  status: number | undefined
}

export interface RegistrySessionEvents {
  /** A join that was PENDING was decided: OK with the admit entry, or REJECTED. */
  admitted: CustomEvent<{ status: number; admit: Uint8Array }>
  /** Records of the registries that this one knows, while a join waits there: envelopes that nobody has verified. */
  registries: CustomEvent<{ records: readonly Uint8Array[] }>
  /** Another process with this key asked this registry for the lease. */
  duplicate: CustomEvent<void>
}

/**
 * A node's session with a registry, remote or in process. Each call rejects with the registry's error that its refusal stands for
 * (StaleRecordError, PendingError, NameTakenError …).
 */
export interface RegistrySession {
  readonly events: TypedEventTarget<RegistrySessionEvents>
  readonly closed: Promise<SessionEnd>
  /** Round-trip time of the last exchange. */
  readonly rttMs: number | undefined
  register(call: RegisterCall, options?: SessionCallOptions): Promise<Registered>
  heartbeat(call: HeartbeatCall, options?: SessionCallOptions): Promise<HeartbeatResult>
  /** A newer own record or, from a registry, of any member. Resolves after the other side's durable commit. */
  put(record: Uint8Array, options?: SessionCallOptions): Promise<void>
  /** Give the envelope of the entry that came of it. */
  renew(request: Uint8Array, options?: SessionCallOptions): Promise<Uint8Array>
  forget(request: Uint8Array, options?: SessionCallOptions): Promise<Uint8Array>
  rotate(proofs: RotateProofs, options?: SessionCallOptions): Promise<Uint8Array>
  forwardJoin(call: ForwardCall, options?: SessionCallOptions): Promise<Uint8Array>
  /** To the root: an entry that a newer epoch made void, or a revoke that the authority signed. */
  handOver(entry: Uint8Array, options?: SessionCallOptions): Promise<Uint8Array>
  /** Says goodbye; `record` has left = true. The session is over afterwards. */
  deregister(reason: string, record?: Uint8Array, options?: SessionCallOptions): Promise<void>
  /** Another registry holds the lease now: this one yields to it. The session is over afterwards. */
  release(options?: SessionCallOptions): Promise<void>
  close(): Promise<void>
}
