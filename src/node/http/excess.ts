import type { Socket } from 'node:net'
import { prefix64, prefixText } from '../../address/prefix.ts'
import type { NodeContext } from '../node-context.ts'

/** Limits of the HTTP server that somebody may exceed, by the names that status and metrics give them. */
type HttpLimit =
  | 'http.requests'
  | 'http.connections'
  | 'http.streams'
  | 'http.waiting'
  | 'http.stall'
  | 'http.answer'

/** Notes that the other end of a connection went beyond a limit. */
export type Exceeded = (limit: HttpLimit, socket: Pick<Socket, 'remoteAddress'>) => void

/** Counts beside the limits of the protocols; before the network was found nobody counts. */
export const excessOf =
  (node: Pick<NodeContext, 'network'>): Exceeded =>
  (limit, { remoteAddress = '::' }) => {
    const prefix = remoteAddress === '::1' ? undefined : prefix64(remoteAddress)
    const address = prefix === undefined ? `/ip6/${remoteAddress}` : prefixText(prefix, 64)
    node.network?.trust.culprits.exceeded(limit, { address })
  }
