import type { Connection, Libp2pEvents, Stream, TypedEventTarget } from '@libp2p/interface'
import { isRegistryRole, type Role } from '../../../identity/role.ts'
import type { Clock } from '../../../runtime/clock-and-logger.ts'
import { LimitError, RevokedError } from '../../../runtime/errors.ts'
import { culpritOf } from '../culprits.ts'
import { countEmptyFrames, gatherFrames, lengthsWithoutErrors } from '../libraries/noise-frames.ts'
import type { ProtocolLimits } from '../limits.ts'
import { Gcra } from '../rate-limiter.ts'
import { isCountedApart, type Layers, WaitingBytes } from '../waiting-bytes.ts'
import type { ConnectionTrust } from './connection-trust.ts'

export interface ConnectionGuardInit {
  trust: ConnectionTrust
  limits: ProtocolLimits
  clock?: Clock
}

export interface ConnectionGuardComponents {
  events: TypedEventTarget<Libp2pEvents>
}

/** https://github.com/hashicorp/yamux/blob/master/spec.md */
const frameTypes = { data: 0, windowUpdate: 1, ping: 2 } as const
const flags = { syn: 1, reset: 8 } as const
const headerBytes = 12

interface Frame {
  readonly header: { readonly type: number; readonly flag: number; readonly streamID: number; readonly length: number }
}

/** The parts of a yamux muxer that are used, which libp2p's connection has and does not show. */
interface Muxer extends Layers {
  readonly streams: readonly (Stream & { readonly streamId: number })[]
  readonly decoder: { readonly buffer: { readonly byteLength: number } }
  readonly maConn: { readonly writeBufferLength: number }
  handleFrame(frame: Frame): void
  onData(data: { readonly byteLength: number }): void
  send(data: { readonly byteLength: number }): boolean
  sendFrame(header: Frame['header']): boolean
}

/**
 * Looks at every frame of a connection before the muxer does: what it costs is taken from the buckets of its peer, before a stream
 * is made or a protocol negotiated, and what waits on it counts for the budget of the process. Who empties one is disconnected and named.
 */
export class ConnectionGuard {
  readonly #init: ConnectionGuardInit
  readonly #buckets: Record<'streams' | 'strangerStreams' | 'frames' | 'registryFrames' | 'strangerFrames', Gcra>
  /** Peers that were disconnected for a flood, and until when they stay so. */
  readonly #penalties: Gcra
  readonly #waiting: WaitingBytes
  /** The muxers of each peer's open connections. */
  readonly #muxers = new Map<string, Set<Muxer>>()

  constructor({ events }: ConnectionGuardComponents, init: ConnectionGuardInit) {
    const { connection: limits } = init.limits
    const options = init.clock === undefined ? {} : { clock: init.clock }
    this.#init = init
    this.#buckets = {
      streams: new Gcra(limits.streams, options),
      strangerStreams: new Gcra(limits.strangerStreams, options),
      frames: new Gcra(limits.frames, options),
      registryFrames: new Gcra(limits.registryFrames, options),
      strangerFrames: new Gcra(limits.strangerFrames, options)
    }
    this.#penalties = new Gcra({ count: 1, perMs: limits.penaltyMs }, options)
    this.#waiting = new WaitingBytes(limits, (connection, limit) => this.#cut(connection, limit))
    events.addEventListener('connection:open', ({ detail }) => this.#watch(detail))
  }

  /** Peers with an open connection. */
  get peers(): number {
    return this.#muxers.size
  }

  #watch(connection: Connection): void {
    const muxer = muxerOf(connection)
    if (muxer === undefined) return
    if (connection.direction === 'inbound' && this.#penalties.peek(connection.remotePeer.toString()) > 0) {
      connection.abort(new LimitError('its peer was disconnected for a flood a moment ago'))
      return
    }
    // Nobody would say that one is gone which had ended before it was told of.
    if (connection.status === 'open') this.#keep(connection, muxer)
    lengthsWithoutErrors(muxer.maConn)
    countEmptyFrames(muxer.maConn, (count) => this.#takesEmpty(connection, count))
    gatherFrames(muxer.maConn)
    // identify would tell it who is here.
    if (this.#init.trust.isRevoked(connection)) connection.newStream = refuseRevoked
    const handleFrame = muxer.handleFrame.bind(muxer)
    const onData = muxer.onData.bind(muxer)
    const send = muxer.send.bind(muxer)
    const negotiating = new Negotiations(this.#init.limits.connection.negotiationBytes)
    muxer.handleFrame = (frame) => {
      const exceeded = connection.status === 'open' ? this.#charge(connection, muxer, frame, negotiating) : undefined
      if (exceeded !== undefined) this.#cut(connection, exceeded)
      // The rest of a chunk is dropped once its connection is closed.
      else if (connection.status === 'open' && !this.#refuses(connection, muxer, frame)) handleFrame(frame)
    }
    muxer.send = (data) => {
      this.#waiting.goes(connection, muxer, data.byteLength)
      return send(data)
    }
    muxer.onData = (data) => {
      onData(data)
      this.#waiting.came(connection, muxer, data.byteLength)
      // A frame longer than any window is refused when it is whole: until then it would be kept.
      if (muxer.decoder.buffer.byteLength > this.#init.limits.connection.frameBytes + headerBytes) {
        if (connection.status === 'open') this.#cut(connection, 'connection.frameBytes')
      }
    }
  }

  /** The limit that this frame exceeds; undefined: none. */
  #charge(connection: Connection, muxer: Muxer, { header }: Frame, negotiating: Negotiations): string | undefined {
    const { type, streamID, length } = header
    const role = this.#init.trust.memberOf(connection)?.role
    const peer = connection.remotePeer.toString()
    const streams = role === undefined ? 'strangerStreams' : 'streams'
    const opens = isOpening(header)
    if (opens && this.#buckets[streams].take(peer) > 0) return `connection.${streams}`
    const isData = type === frameTypes.data
    const stream = opens || streamID === 0 ? undefined : muxer.streams.find((each) => each.streamId === streamID)
    const cost = opens || stream !== undefined ? 1 : strayCost(type, length)
    const frames = framesOf(role)
    if (this.#buckets[frames].charge(peer, cost) > 0) return `connection.${frames}`
    if (isData && stream !== undefined && isOffered(stream) && negotiating.isOver(stream, length)) {
      return 'connection.negotiationBytes'
    }
    // Each of these is answered: whoever reads no answers has them kept here.
    if (!isData && muxer.maConn.writeBufferLength > this.#init.limits.connection.unreadBytes) {
      return 'connection.unreadBytes'
    }
    return undefined
  }

  /** true: the frame opens a stream beyond those that its peer may have on all of its connections, and the stream was reset. */
  #refuses(connection: Connection, muxer: Muxer, { header }: Frame): boolean {
    if (!isOpening(header)) return false
    const muxers = this.#muxers.get(connection.remotePeer.toString()) ?? []
    const open = [...muxers].reduce((all, { streams }) => all + streams.filter(isCounted).length, 0)
    if (open < this.#init.limits.connection.openStreams) return false
    this.#name('connection.openStreams', connection)
    muxer.sendFrame({ type: frameTypes.windowUpdate, flag: flags.reset, streamID: header.streamID, length: 0 })
    return true
  }

  #keep(connection: Connection, muxer: Muxer): void {
    const peer = connection.remotePeer.toString()
    const muxers = this.#muxers.get(peer) ?? new Set()
    this.#muxers.set(peer, muxers.add(muxer))
    const forget = (): void => {
      muxers.delete(muxer)
      if (muxers.size === 0 && this.#muxers.get(peer) === muxers) this.#muxers.delete(peer)
    }
    connection.addEventListener('close', forget, { once: true })
  }

  /** false: they were too many, and the connection is closed. */
  #takesEmpty(connection: Connection, count: number): boolean {
    if (connection.status !== 'open') return false
    const frames = framesOf(this.#init.trust.memberOf(connection)?.role)
    if (this.#buckets[frames].charge(connection.remotePeer.toString(), count) === 0) return true
    this.#cut(connection, `connection.${frames}`)
    return false
  }

  #name(limit: string, connection: Connection): void {
    this.#init.trust.culprits.exceeded(limit, culpritOf(connection))
  }

  #cut(connection: Connection, limit: string): void {
    this.#name(limit, connection)
    this.#penalties.take(connection.remotePeer.toString())
    connection.abort(new LimitError(`the limit ${limit} was exceeded`))
  }
}

const isCounted = (stream: Stream): boolean => stream.direction === 'inbound' && !isCountedApart(stream)

const isOpening = ({ flag, type }: Frame['header']): boolean => (flag & flags.syn) !== 0 && type !== frameTypes.ping

/** Offered by the peer, and not negotiated. On a stream that was opened here, more than the answer may have come before that is read. */
const isOffered = ({ direction, protocol }: Stream): boolean => direction === 'inbound' && protocol === ''

const refuseRevoked = async (): Promise<never> => {
  throw new RevokedError('no stream is opened to a revoked key')
}

const framesOf = (role: Role | undefined): 'frames' | 'registryFrames' | 'strangerFrames' => {
  if (role === undefined) return 'strangerFrames'
  return isRegistryRole(role) ? 'registryFrames' : 'frames'
}

/** A ping is answered at once, whatever else is to be done; what comes for a stream that is gone was decrypted for nothing. */
const pingCost = 20
const goneCost = 5

const strayCost = (type: number, length: number): number => {
  if (type === frameTypes.ping) return pingCost
  return type === frameTypes.data ? goneCost + length / 1024 : goneCost
}

/** Bytes on streams whose protocol is not known yet: multistream-select answers each line of them, and yields to nobody. */
class Negotiations {
  readonly #most: number
  readonly #bytes = new WeakMap<Stream, number>()

  constructor(most: number) {
    this.#most = most
  }

  isOver(stream: Stream, more: number): boolean {
    const bytes = (this.#bytes.get(stream) ?? 0) + more
    this.#bytes.set(stream, bytes)
    return bytes > this.#most
  }
}

const muxerOf = (connection: Connection): Muxer | undefined => {
  const muxer: unknown = Reflect.get(connection, 'muxer')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is looked at is what is used
  return typeof muxer === 'object' && muxer !== null && 'handleFrame' in muxer ? (muxer as Muxer) : undefined
}
