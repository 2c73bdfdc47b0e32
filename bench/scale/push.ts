import type { Meter } from './gossip.ts'

/** Something that a registry tells its subscribers. */
export interface Change {
  /** Seconds from the start. */
  readonly at: number
  readonly bytes: number
}

export interface PushInit {
  readonly registry: number
  /** Nodes that are told. */
  readonly subscribers: readonly number[]
  /** Ascending by time. */
  readonly changes: readonly Change[]
  /** Bytes of a frame without content. */
  readonly frameBytes: number
  /** From the first change to the push of all that came meanwhile, s. */
  readonly windowSeconds: number
}

/** All changes of one window go to each subscriber in one frame. Gives the number of frames per subscriber. */
export function push({ registry, subscribers, changes, frameBytes, windowSeconds }: PushInit, meter: Meter): number {
  let frames = 0
  let total = 0
  let until = Number.NEGATIVE_INFINITY
  for (const { at, bytes } of changes) {
    if (at > until) {
      frames++
      total += frameBytes
      until = at + windowSeconds
    }
    total += bytes
  }
  for (const node of subscribers) meter.received[node] = (meter.received[node] ?? 0) + total
  meter.sent[registry] = (meter.sent[registry] ?? 0) + total * subscribers.length
  return frames
}
