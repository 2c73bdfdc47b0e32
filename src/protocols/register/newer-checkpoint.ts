import { compareCheckpoints, type SignedPosition } from '../../registry/log/state/position.ts'
import { Checkpoint, Envelope } from '../../registry/pb/registry.ts'

/**
 * True when envelope `a` says it is a newer checkpoint than envelope `b`. Not verified: it decides what is worth sending or
 * looking at, and a peer that lies here only withholds news from itself.
 */
export function newerCheckpoint(a: Uint8Array, b: Uint8Array | undefined): boolean {
  // Almost every heartbeat: nothing is new.
  if (a === b) return false
  const left = positionOf(a)
  if (left === undefined) return false
  const right = b === undefined ? undefined : positionOf(b)
  return right === undefined || compareCheckpoints(left, right) > 0
}

/** The position that a checkpoint says, not verified; undefined: it is none. */
export function positionOf(bytes: Uint8Array): SignedPosition | undefined {
  try {
    return Checkpoint.decode(Envelope.decode(bytes).payload)
  } catch {
    return undefined
  }
}
