import type { Connection } from '@libp2p/interface'
import { within } from '../../runtime/abort.ts'
import { StreamEndedError } from '../engine/errors.ts'
import type { FrameStream } from '../engine/frames.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { openStream, request } from '../engine/protocol.ts'
import { hopProtocol } from './descriptor.ts'
import { askToConnect, askToReserve, readAnswer } from './messages.ts'

interface AskOptions {
  limits: ProtocolLimits
  signal: AbortSignal | undefined
}

/**
 * Asks a member to bring circuits to this node. Gives the time for which it does, at its word, ms.
 * @throws NotAllowedError, LimitError, and what else a relay refuses with
 */
export async function reserveAt(connection: Connection, { limits, signal }: AskOptions): Promise<number> {
  const inTime = within(limits.relay.openMs, signal)
  const untilMs = readAnswer(await request(connection, hopProtocol(limits), askToReserve(), { limits, signal: inTime }))
  return untilMs - Date.now()
}

/** Asks a relay for a circuit to a member; bytes follow on the stream that is given. @throws NotFoundError, NotAllowedError, LimitError, UnavailableError */
export async function openCircuit(
  relay: Connection,
  peerId: string,
  { limits, signal }: AskOptions
): Promise<FrameStream> {
  const inTime = within(limits.relay.openMs, signal)
  const frames = await openStream(relay, hopProtocol(limits), { limits, signal: inTime })
  try {
    await frames.write(askToConnect(peerId))
    const answer = await frames.read({ signal: inTime })
    if (answer === undefined) throw new StreamEndedError('the relay ended without an answer')
    readAnswer(answer)
    return frames
  } catch (error) {
    frames.abort(error instanceof Error ? error : new StreamEndedError('the circuit was not opened'))
    throw error
  }
}
