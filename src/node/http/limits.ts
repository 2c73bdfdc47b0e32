import type { Socket } from 'node:net'
import { prefix64, prefixText } from '../../address/prefix.ts'
import type { NodeContext } from '../node-context.ts'

/** Limits of the HTTP server, each with its reason. */
export const httpLimits = {
  /** Event streams among the connections (host/open-files.ts): the rest is for questions. */
  streams: 32,
  /** An event stream may be open for so long before another one takes its place, when there are too many. */
  streamMs: 60_000,
  /** At once from one address or /64, given back over `perMs`: a page asks for about twenty things when it is opened. */
  requests: { count: 100, perMs: 2_000 },
  /** Path and query: the longest question is a name and a few options. */
  urlChars: 2_048,
  /** All headers: those of a browser take about 1 KiB. */
  headerBytes: 8 * 1024,
  /** Until all of a request is there. */
  requestMs: 5_000,
  /** Until a quiet connection is closed; a reader that takes nothing for so long is cut. */
  stallMs: 10_000,
  /** Until an answer was taken, however slowly; event streams are exempt. */
  answerMs: 60_000,
  /** Questions that wait for the making of one answer. */
  waiting: 16,
  /** Until one that waits is told to come back: well before its quiet connection is closed. */
  waitMs: 5_000,
  /** Making one answer takes at most one part in so many of the time, whatever is asked. */
  share: 10
} as const

/** Limits of the HTTP server that somebody may exceed, by the names that status and metrics give them. */
type HttpLimit = 'http.requests' | 'http.connections' | 'http.streams' | 'http.waiting' | 'http.stall' | 'http.answer'

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
