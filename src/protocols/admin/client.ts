import type { Connection } from '@libp2p/interface'
import type { ProtocolLimits } from '../engine/limits.ts'
import { decodeFrame, request } from '../engine/protocol.ts'
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
  const answer = await request(connection, adminProtocol(limits), bytes, { limits, signal })
  const { status, retryAfterMs, entries, waiting } = decodeFrame(
    (frame) => AdminAnswer.decode(frame, { limits: decodeLimits }),
    answer
  )
  if (status !== statuses.OK) throw errorOf(status, refusalText(status, 'the root refused the order'), { retryAfterMs })
  return { entries, waiting }
}
