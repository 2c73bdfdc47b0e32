import { Uint8ArrayList } from 'uint8arraylist'
import { equals } from 'uint8arrays/equals'
import { hashBytes } from '../../identity/checked-bytes.ts'
import { UnsupportedVersionError, WrongNetworkError } from '../../runtime/errors.ts'
import { carriedTrace } from '../../runtime/trace.ts'
import { MalformedFrameError } from '../engine/errors.ts'
import { lengthPrefix } from '../engine/frame-parser.ts'
import type { Frame } from '../engine/frame-writer.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { decodeFrame } from '../engine/protocol.ts'
import { statuses } from '../engine/status.ts'
import { blocksVersion } from './descriptor.ts'
import { BlockAnswer, BlocksRequest } from './pb/blocks.ts'

const none = new Uint8Array()

/** A digest as a key of maps and sets: one character for each byte. */
export const digestKey = (digest: Uint8Array): string =>
  Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString('latin1')

export const encodeRequest = (digests: Uint8Array[], networkId: Uint8Array): Uint8Array =>
  BlocksRequest.encode({ version: blocksVersion, networkId, digests, ...carriedTrace() })

/** @throws MalformedFrameError, UnsupportedVersionError, WrongNetworkError */
export function readRequest(
  bytes: Uint8Array,
  networkId: Uint8Array,
  { digests: most }: ProtocolLimits['blocks']
): BlocksRequest {
  const request = decodeFrame((frame) => BlocksRequest.decode(frame, { limits: { digests: most } }), bytes)
  if (request.version > blocksVersion) throw new UnsupportedVersionError(`a request of version ${request.version}`)
  if (!equals(request.networkId, networkId)) throw new WrongNetworkError('a request in another network')
  if (request.digests.length === 0) throw new MalformedFrameError('a request for nothing')
  if (request.digests.some(({ length }) => length !== hashBytes))
    throw new MalformedFrameError('a digest of another length')
  return request
}

/** Field 3, and that its bytes follow behind their length. */
const bytesTag = (3 << 3) | 2
/** A block that is copied into its frame: to carry it as a part of its own costs more. */
const copiedBytes = 16 * 1024

/** undefined: the block is not here. The bytes of a large block are not copied. */
export function encodeAnswer(digest: Uint8Array, bytes: Uint8Array | undefined): Frame {
  const answer = { status: statuses.OK, digest, bytes: bytes ?? none, absent: bytes === undefined, retryAfterMs: 0 }
  if (bytes === undefined || bytes.byteLength <= copiedBytes) return BlockAnswer.encode(answer)
  const head = BlockAnswer.encode({ ...answer, bytes: none })
  return new Uint8ArrayList(head, Uint8Array.of(bytesTag), lengthPrefix(bytes.byteLength), bytes)
}

/** A member sent something else than it was asked for: no answer, bytes of another digest, a block that nobody asked for. */
export class WrongBlockError extends Error {
  override readonly name = 'WrongBlockError'
}

/** @throws WrongBlockError */
export function decodeAnswer(frame: Uint8Array): BlockAnswer {
  try {
    const answer = BlockAnswer.decode(frame)
    if (answer.status !== statuses.OK || answer.digest.length === hashBytes) return answer
  } catch {
    // No message at all.
  }
  throw new WrongBlockError('an answer that names no block')
}
