import { Checkpoint, Envelope } from '../../registry/pb/registry.ts'

/**
 * Whether envelope `a` says it is a newer checkpoint than envelope `b`. Not verified: it decides what is worth sending or
 * looking at, and a peer that lies here only withholds news from itself.
 */
export function newerCheckpoint(a: Uint8Array, b: Uint8Array | undefined): boolean {
  // Almost every heartbeat: nothing is new.
  if (a === b) return false
  const left = positionOf(a)
  if (left === undefined) return false
  const right = b === undefined ? undefined : positionOf(b)
  if (right === undefined) return true
  return left.epoch - right.epoch > 0 || (left.epoch === right.epoch && isLater(left, right))
}

interface Position {
  epoch: number
  n: number
  timeMs: number
}

const isLater = (a: Position, b: Position): boolean => a.n > b.n || (a.n === b.n && a.timeMs > b.timeMs)

function positionOf(bytes: Uint8Array): Position | undefined {
  try {
    return Checkpoint.decode(Envelope.decode(bytes).payload)
  } catch {
    return undefined
  }
}
