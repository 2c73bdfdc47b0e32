import type { Connection } from '@libp2p/interface'
import { StreamEndedError } from '../engine/errors.ts'
import type { FrameStream } from '../engine/frames.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { openStream } from '../engine/protocol.ts'
import { forwardProtocol } from './descriptor.ts'
import { encodeRequest, readAnswer } from './messages.ts'

export interface OpenForward {
  networkId: Uint8Array
  limits: ProtocolLimits
  /** Name of the member, for messages. */
  member?: string | undefined
  signal: AbortSignal
}

/**
 * Asks a member for a service of its. What it gives is to be joined to a socket.
 * @throws NotAllowedError, NotExposedError, UnavailableError and what else a member refuses with
 */
export async function openForward(
  connection: Connection,
  service: string,
  { networkId, limits, member, signal }: OpenForward
): Promise<FrameStream> {
  const frames = await openStream(connection, forwardProtocol(limits), { limits, signal })
  try {
    await frames.write(encodeRequest(service, networkId))
    const answer = await frames.read({ signal })
    if (answer === undefined) throw new StreamEndedError('the other side ended without an answer')
    readAnswer(answer, service, member)
    return frames
  } catch (error) {
    frames.abort(error instanceof Error ? error : new StreamEndedError('the forward was not opened'))
    throw error
  }
}
