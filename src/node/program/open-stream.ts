import type { Stream } from '@libp2p/interface'
import { UnavailableError } from '../../runtime/errors.ts'
import { connectionTo } from '../actions/connect.ts'
import { isUnsupported } from '../errors.ts'
import type { NodeContext } from '../node-context.ts'

const retryMs = 5_000
const openMs = 10_000

/** A stream of a protocol to a member, which is dialled where needed. @throws NotFoundError, AmbiguousNameError, UnavailableError */
export async function openStreamTo(
  node: NodeContext,
  { peer, protocol }: { peer: string; protocol: string },
  signal?: AbortSignal
): Promise<Stream> {
  const connection = await connectionTo(node, peer, signal ?? AbortSignal.timeout(openMs))
  try {
    return await connection.newStream(protocol, signal === undefined ? {} : { signal })
  } catch (error) {
    if (!isUnsupported(error)) throw error
    throw new UnavailableError(`${peer} does not serve ${protocol}: no program there does, or not yet`, retryMs)
  }
}
