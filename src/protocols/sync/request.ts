import { equals } from 'uint8arrays/equals'
import { UnsupportedVersionError, WrongNetworkError } from '../../runtime/errors.ts'
import { MalformedFrameError } from '../engine/errors.ts'
import { decodeFrame } from '../engine/protocol.ts'
import { syncVersion } from './descriptor.ts'
import { SyncRequest } from './pb/sync.ts'
import type { SyncSource } from './source.ts'

const buckets = 4_096
const digestBytes = 8
const mostBuckets = 0.95 * buckets
/** Changes whose records weigh as much as a digest. A single pull that is further behind knows most of them from elsewhere. */
const cursorReach = 128

/** @throws MalformedFrameError, UnsupportedVersionError, WrongNetworkError */
export function readRequest(bytes: Uint8Array, networkId: Uint8Array): SyncRequest {
  const request = decodeFrame((frame) => SyncRequest.decode(frame), bytes)
  if (request.version > syncVersion) throw new UnsupportedVersionError(`a sync request of version ${request.version}`)
  if (!equals(request.networkId, networkId)) throw new WrongNetworkError('a sync request for another network')
  const { digest, hash, epoch, n, stagedEpoch, stagedN, stagedUpTo } = request
  const numbers = [epoch, n, stagedEpoch, stagedN, stagedUpTo, request.cursor?.change ?? 0]
  if (!numbers.every(Number.isSafeInteger)) throw new MalformedFrameError('a position that is no number')
  if (digest.length !== 0 && digest.length !== buckets * digestBytes) throw new MalformedFrameError('a short digest')
  if (hash.length !== 0 && hash.length !== 32) throw new MalformedFrameError('a hash that is none')
  return request
}

export interface RecordStart {
  change: number | undefined
  differing: number[]
}

/** undefined: the cursor is of another store, of a future that was lost, or too far behind for one pull, and a digest is needed. */
export function recordStart(
  request: SyncRequest,
  source: Pick<SyncSource, 'records' | 'storeId'>
): RecordStart | undefined {
  const { cursor, digest, subscribe } = request
  const { records, storeId } = source
  if (cursor !== undefined && equals(cursor.store, storeId)) {
    const behind = records.lastChange() - cursor.change
    if (behind >= 0 && (subscribe || behind <= cursorReach)) return { change: cursor.change, differing: [] }
  }
  if (digest.length === 0) return cursor === undefined ? { change: 0, differing: [] } : undefined
  const differing = differingBuckets(digest, records.digest())
  // Somebody who has next to nothing: all rows in the order in which they are stored are read faster than bucket by bucket.
  return differing.length > mostBuckets ? { change: 0, differing: [] } : { change: undefined, differing }
}

function differingBuckets(theirs: Uint8Array, ours: Uint8Array): number[] {
  const differing: number[] = []
  for (let bucket = 0; bucket < buckets; bucket++) {
    const from = bucket * digestBytes
    const to = from + digestBytes
    if (!equals(theirs.subarray(from, to), ours.subarray(from, to))) differing.push(bucket)
  }
  return differing
}
