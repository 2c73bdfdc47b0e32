import type { Role } from './role.ts'

/** A join that waits for the operator. */
export interface PendingJoin {
  publicKey: Uint8Array
  /** As the joiner asks for them. */
  name: string
  role: Role
  sinceMs: number
}

export interface JoinEvents {
  /** A join waits for the operator; not told again when the same peer asks again. */
  pending: CustomEvent<PendingJoin>
  /** A join that was told to wait was refused, by the operator or by the root after it was queued. */
  rejected: CustomEvent<{ publicKey: Uint8Array; reason: string }>
}
