import type { Stream } from '@libp2p/interface'
import { UnavailableError } from '../../runtime/errors.ts'
import { connectionTo } from '../actions/connect.ts'
import { isUnsupported } from '../errors.ts'
import type { NodeContext } from '../node-context.ts'

const retryMs = 5_000
/** For programs that give no signal. */
const openMs = 10_000

/** A stream of a protocol to a member, which is dialled where needed. @throws NotFoundError, AmbiguousNameError, UnavailableError */
export async function openStreamTo(
  node: NodeContext,
  { peer, protocol }: { peer: string; protocol: string },
  signal?: AbortSignal,
  withinMs = openMs
): Promise<Stream> {
  const late = AbortSignal.timeout(withinMs)
  const inTime = signal ?? late
  try {
    const connection = await connectionTo(node, peer, inTime)
    return await connection.newStream(protocol, { signal: inTime })
  } catch (error) {
    if (signal === undefined && late.aborted)
      throw new UnavailableError(`${peer} was not reached within ${withinMs / 1000} s`, retryMs)
    if (!isUnsupported(error)) throw error
    throw new UnavailableError(`${peer} does not serve ${protocol}: no program there does, or not yet`, retryMs)
  }
}
