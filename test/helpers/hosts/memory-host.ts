import { yamux } from '@chainsafe/libp2p-yamux'
import {
  type Connection,
  type Libp2p,
  type Libp2pEvents,
  type Logger,
  type MultiaddrConnection,
  type NewStreamOptions,
  type PeerId,
  type PrivateKey,
  type ServiceMap,
  type Stream,
  type StreamHandler,
  type StreamHandlerOptions,
  type StreamMuxer,
  StreamResetError,
  TooManyOutboundProtocolStreamsError,
  UnsupportedProtocolError
} from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { ServiceFactoryMap } from 'libp2p'
import { TypedEventEmitter } from 'main-event'
import { SigningKey } from '../../../src/identity/keys.ts'
import { yamuxInit } from '../../../src/node/host/libp2p.ts'

interface Served {
  handler: StreamHandler
  options: StreamHandlerOptions
}

/** All that run, by PeerId: whom an address leads to. */
const hosts = new Map<string, MemoryHost>()
let made = 0
let addresses = 0

/** One end of a connection in memory: streams are those of yamux, protocols are named beside the wire. */
class MemoryConnection extends TypedEventEmitter<{ close: Event }> {
  readonly id = `memory-${made++}`
  readonly remotePeer: PeerId
  readonly remoteAddr: Multiaddr
  readonly direction: 'inbound' | 'outbound'
  readonly timeline: { open: number; close?: number } = { open: Date.now() }
  readonly multiplexer = '/yamux/1.0.0'
  readonly encryption = 'none'
  readonly limits = undefined
  readonly tags: string[] = []
  status: 'open' | 'closing' | 'closed' | 'aborted' = 'open'
  other: MemoryConnection | undefined
  readonly #host: MemoryHost
  readonly #wire: MultiaddrConnection
  /** Under the name that it has in a connection of libp2p, where the guard looks for it. */
  readonly muxer: StreamMuxer
  /** Streams that the other side opens, in their order, until they are taken or refused here. */
  readonly #expected: { protocol: string; taken: () => void }[] = []

  constructor(host: MemoryHost, remote: MemoryHost, wire: MultiaddrConnection, muxer: StreamMuxer) {
    super()
    this.#host = host
    this.#wire = wire
    this.muxer = muxer
    this.remotePeer = remote.peerId
    this.remoteAddr = remote.address
    this.direction = wire.direction
    muxer.addEventListener('stream', ({ detail }) => this.#accept(detail))
    wire.addEventListener('close', () => this.#closed())
  }

  get log(): Logger {
    return this.#wire.log
  }

  get streams(): Stream[] {
    return this.muxer.streams
  }

  async newStream(protocols: string | string[], options: NewStreamOptions = {}): Promise<Stream> {
    options.signal?.throwIfAborted()
    const [protocol = ''] = [protocols].flat()
    const open = this.streams.filter((each) => each.direction === 'outbound' && each.protocol === protocol)
    if (open.length >= (options.maxOutboundStreams ?? 64)) throw new TooManyOutboundProtocolStreamsError('too many')
    if (this.status !== 'open' || this.other?.speaks(protocol) !== true) throw new UnsupportedProtocolError(protocol)
    const taken = Promise.withResolvers<void>()
    this.other.#expected.push({ protocol, taken: taken.resolve })
    const stream = await this.muxer.createStream(options.signal === undefined ? {} : { signal: options.signal })
    stream.protocol = protocol
    stream.addEventListener('close', ({ error }) => taken.reject(error ?? new StreamResetError()), { once: true })
    await taken.promise
    return stream
  }

  speaks(protocol: string): boolean {
    return this.#host.handlers.has(protocol)
  }

  #accept(stream: Stream): void {
    const { protocol = '', taken } = this.#expected.shift() ?? {}
    stream.protocol = protocol
    const served = this.#host.handlers.get(protocol)
    const open = this.streams.filter((each) => each.direction === 'inbound' && each.protocol === protocol)
    if (served === undefined || open.length > (served.options.maxInboundStreams ?? 32)) {
      stream.abort(new Error(`no more streams of ${protocol}`))
      return
    }
    // A round trip, as it takes to agree on the protocol.
    setTimeout(() => taken?.(), 1)
    void served.handler(stream, this as unknown as Connection)
  }

  async close(): Promise<void> {
    await this.#wire.close()
  }

  abort(error: Error): void {
    if (this.status === 'open') this.status = 'aborted'
    this.#wire.abort(error)
  }

  #closed(): void {
    if (this.status !== 'aborted') this.status = 'closed'
    if (this.timeline.close !== undefined) return
    this.timeline.close = Date.now()
    this.dispatchEvent(new Event('close'))
    this.#host.lost(this)
  }
}

/** A libp2p host as services see it, without sockets: each connection is two ends in memory. */
class MemoryHost extends TypedEventEmitter<Libp2pEvents> {
  readonly peerId: PeerId
  readonly address: Multiaddr
  readonly handlers = new Map<string, Served>()
  readonly connections: MemoryConnection[] = []
  services: ServiceMap = {}

  constructor(peerId: PeerId) {
    super()
    this.peerId = peerId
    this.address = multiaddr(`/ip6/fd00::${(++addresses).toString(16)}/tcp/9000/p2p/${peerId.toString()}`)
    hosts.set(peerId.toString(), this)
  }

  async handle(protocol: string, handler: StreamHandler, options: StreamHandlerOptions = {}): Promise<void> {
    this.handlers.set(protocol, { handler, options })
  }

  async unhandle(protocol: string): Promise<void> {
    this.handlers.delete(protocol)
  }

  async register(): Promise<string> {
    return ''
  }

  unregister(): void {}

  getConnections(peer?: PeerId): Connection[] {
    const found = this.connections.filter((each) => peer === undefined || each.remotePeer.equals(peer))
    return found as unknown as Connection[]
  }

  getMultiaddrs(): Multiaddr[] {
    return [this.address]
  }

  async hangUp(peer: PeerId): Promise<void> {
    for (const each of this.connections.filter(({ remotePeer }) => remotePeer.equals(peer))) await each.close()
  }

  /** The name that the connection manager has for it. */
  openConnection(to: Multiaddr): Promise<Connection> {
    return this.dial(to)
  }

  async dial(to: Multiaddr): Promise<Connection> {
    const remote = [...hosts.values()].find(({ address }) => `${address.toString()}/`.startsWith(`${to.toString()}/`))
    if (remote === undefined) throw new Error(`nobody answers at ${to.toString()}`)
    const [near, far] = multiaddrConnectionPair({ delay: 1, capacity: 64 })
    // Both muxers first: what one sends, the other one must hear.
    const muxers = yamux(yamuxInit)()
    const [mine, theirs] = [muxers.createStreamMuxer(near), muxers.createStreamMuxer(far)]
    const here = new MemoryConnection(this, remote, near, mine)
    const there = new MemoryConnection(remote, this, far, theirs)
    here.other = there
    there.other = here
    remote.opened(there)
    this.opened(here)
    return here as unknown as Connection
  }

  opened(connection: MemoryConnection): void {
    this.connections.push(connection)
    this.safeDispatchEvent('connection:open', { detail: connection as unknown as Connection })
    this.safeDispatchEvent('peer:connect', { detail: connection.remotePeer })
  }

  lost(connection: MemoryConnection): void {
    this.connections.splice(this.connections.indexOf(connection), 1)
    this.safeDispatchEvent('connection:close', { detail: connection as unknown as Connection })
    if (this.getConnections(connection.remotePeer).length > 0) return
    this.safeDispatchEvent('peer:disconnect', { detail: connection.remotePeer })
  }

  async stop(): Promise<void> {
    for (const service of Object.values(this.services)) await lifecycle(service).stop?.()
    for (const connection of this.connections.slice()) connection.abort(new Error('the host is stopped'))
    hosts.delete(this.peerId.toString())
  }
}

const lifecycle = (service: unknown): { start?(): unknown; stop?(): unknown } => service as object

/** A started host with the given services, which finds the others of this process by their addresses. */
export async function startMemoryHost<S extends ServiceMap>(
  services: ServiceFactoryMap<S>,
  init: { privateKey?: PrivateKey } = {}
): Promise<Libp2p<S>> {
  const host = new MemoryHost(peerIdFromPrivateKey(init.privateKey ?? SigningKey.generate().toLibp2p()))
  const components = { registrar: host, events: host, connectionManager: host, peerId: host.peerId }
  const factories = Object.entries(services) as [string, (parts: object) => unknown][]
  host.services = Object.fromEntries(factories.map(([name, make]) => [name, make(components)]))
  for (const service of Object.values(host.services)) await lifecycle(service).start?.()
  return host as unknown as Libp2p<S>
}
