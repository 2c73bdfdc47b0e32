import type { Connection } from '@libp2p/interface'
import { within } from '../../runtime/abort.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { UnavailableError } from '../../runtime/errors.ts'
import { connectionTo, memberToReach } from '../actions/connect.ts'
import type { PingView } from '../api/topology-views.ts'
import { isTimeout } from '../errors.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { refOf, relayOf, rttUs, withPeer } from '../views/refs.ts'
import { roundTripMs } from './ping-monitor.ts'

const answerMs = 5_000

/**
 * One round trip to a member, on the connection to it that is there, or a new one. Without an answer it is a loss, and says why.
 * @throws NotFoundError, AmbiguousNameError; InvalidPayloadError for this node itself
 */
export async function pingMember(node: NodeContext, peer: string, signal: AbortSignal): Promise<PingView> {
  const { network, member } = memberToReach(node, peer)
  const ref = refOf(network.registry, member.publicKey)
  const sent = { ...ref, sent: 1, received: 0, pings: [{ rttUs: null }], lastError: null }
  const nowhere = { address: null, direction: null, relay: null }
  try {
    const connection = await connectionTo(node, peer, signal)
    const way = wayOf(network, connection)
    try {
      const ms = await roundTripMs(connection, within(answerMs, signal))
      return { ...sent, ...way, received: 1, pings: [{ rttUs: rttUs(ms) }] }
    } catch (error) {
      signal.throwIfAborted()
      const why = isTimeout(error) ? `no answer within ${answerMs / 1000} s` : reasonOf(error)
      return { ...sent, ...way, lastError: why }
    }
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
    return { ...sent, ...nowhere, lastError: error.message }
  }
}

const wayOf = (network: NetworkNode, connection: Connection): Pick<PingView, 'address' | 'direction' | 'relay'> => {
  const address = connection.remoteAddr.toString()
  return {
    address: withPeer(address, connection.remotePeer.toString()),
    direction: connection.direction === 'inbound' ? 'in' : 'out',
    relay: relayOf(network.registry, connection)
  }
}
