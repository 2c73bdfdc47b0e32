import type { Connection } from '@libp2p/interface'
import { within } from '../../runtime/abort.ts'
import { StreamEndedError } from '../engine/errors.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { decodeFrame, type OpenOptions, openStream, request } from '../engine/protocol.ts'
import { errorOf, refusalText, statuses } from '../engine/status.ts'
import { adminProtocol } from './descriptor.ts'
import { type AdminAnswered, type AdminCall, encodeCall } from './messages.ts'
import { AdminAnswer } from './pb/admin.ts'

export interface AdminOptions {
  networkId: Uint8Array
  limits: ProtocolLimits
  /** For somebody else, who has asked this node. */
  forwarded?: boolean
  signal?: AbortSignal
}

const decodeLimits = { entries: 16, waiting: 1_100, waiting$: { acts: 16 } }

/**
 * Brings what an operator has signed to the member at the other end, which is the root or asks it.
 * @throws its refusal, as the class that the root would throw in process; whatever kept it from answering
 */
export async function ask(connection: Connection, call: AdminCall, options: AdminOptions): Promise<AdminAnswered> {
  const { networkId, limits, forwarded = false, signal } = options
  const bytes = encodeCall(call, networkId, forwarded)
  const answer =
    'document' in call
      ? await sendDocument(connection, [bytes, call.document.bytes], { limits, signal })
      : await request(connection, adminProtocol(limits), bytes, { limits, signal })
  const { status, retryAfterMs, entries, waiting } = decodeFrame(
    (frame) => AdminAnswer.decode(frame, { limits: decodeLimits }),
    answer
  )
  if (status === statuses.OK) return { entries, waiting }
  const isWaiting = status === statuses.PENDING && 'document' in call
  const what = 'document' in call ? 'the root refused the document' : 'the root refused the order'
  throw errorOf(status, isWaiting ? 'the document waits there for the root' : refusalText(status, what), {
    retryAfterMs
  })
}

/** Sends a request with the bytes that belong to it in frames of their own behind it; gives the answer. */
async function sendDocument(
  connection: Connection,
  [head, bytes]: readonly [Uint8Array, Uint8Array],
  { limits, signal: given }: OpenOptions
): Promise<Uint8Array> {
  const { deadlineMs, requestBytes } = limits.admin
  const signal = within(deadlineMs, given)
  const frames = await openStream(connection, adminProtocol(limits), { limits, signal })
  try {
    await frames.write(head)
    for (let at = 0; at < bytes.length; at += requestBytes) await frames.write(bytes.subarray(at, at + requestBytes))
    const answer = await frames.read({ signal })
    if (answer === undefined) throw new StreamEndedError('the other side ended without an answer')
    await frames.close()
    return answer
  } catch (error) {
    frames.abort(error instanceof Error ? error : new StreamEndedError('the request failed'))
    throw error
  }
}
