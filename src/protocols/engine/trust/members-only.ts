import type { Connection, PeerId, StreamHandler, StreamHandlerOptions, Topology } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { isRelayed } from '../../../address/circuit.ts'
import { isRegistryRole } from '../../../identity/role.ts'
import { inBackground } from '../../../runtime/background.ts'
import { LimitError, NotAllowedError, NotMemberError } from '../../../runtime/errors.ts'
import { BoundedStreams, type StreamBounds } from '../libraries/bounded-streams.ts'
import { PeerCap } from '../peer-cap.ts'
import type { ConnectionTrust } from './connection-trust.ts'

export interface MembersOnlyOptions {
  /** Members that the service deals with at a time, roots and secondaries not counted. Default: all that are connected. */
  readonly most?: number
  /** The service runs on direct connections alone. */
  readonly direct?: boolean
  /** Bounds of what the service is given from one peer. Default: all that comes. */
  readonly bounds?: StreamBounds
}

/**
 * A registrar for services that must see members alone, since libp2p's gater knows no protocols: streams of others are reset,
 * and a topology hears of a peer only when identify said that it speaks the protocol AND its connection proved membership, on both sides:
 * a service opens its stream once, and whoever takes us for a stranger resets it.
 */
export function membersOnlyRegistrar(
  registrar: Registrar,
  trust: ConnectionTrust,
  options: MembersOnlyOptions = {}
): Registrar {
  return registrarBehind(new Door(trust, options), registrar)
}

function registrarBehind(door: Door, registrar: Registrar): Registrar {
  const topologies = new Map<string, MembersTopology>()
  return {
    getProtocols: () => registrar.getProtocols(),
    getHandler: (protocol) => registrar.getHandler(protocol),
    handle: (protocol, handler, handlerOptions) =>
      registrar.handle(protocol, membersHandler(handler, door), handlerOptions ?? noOptions),
    unhandle: (protocol, handlerOptions) => registrar.unhandle(protocol, handlerOptions),
    use: (protocol, middleware) => registrar.use(protocol, middleware),
    unuse: (protocol) => registrar.unuse(protocol),
    getMiddleware: (protocol) => registrar.getMiddleware(protocol),
    getTopologies: (protocol) => registrar.getTopologies(protocol),
    register: async (protocol, topology, topologyOptions) => {
      const wrapped = new MembersTopology(topology, door)
      const id = await registrar.register(protocol, wrapped.topology, topologyOptions)
      topologies.set(id, wrapped)
      return id
    },
    unregister: (id) => {
      topologies.get(id)?.stop()
      topologies.delete(id)
      registrar.unregister(id)
    }
  }
}

/** Wraps the factory of a libp2p service (gossipsub, kad-dht, ping) so that it serves and sees members alone. */
export function membersOnly<C extends { registrar: Registrar; connectionManager?: ConnectionManager }, S>(
  trust: ConnectionTrust,
  factory: (components: C) => S,
  options: MembersOnlyOptions = {}
): (components: C) => S {
  return (components) => {
    const door = new Door(trust, options)
    const registrar = registrarBehind(door, components.registrar)
    let connections: ConnectionManager | undefined
    // libp2p's components are a proxy themselves: a spread copy of them has nothing in it.
    const narrowed = new Proxy(components, {
      get(target, property) {
        if (property === 'registrar') return registrar
        const value: unknown = Reflect.get(target, property)
        if (property !== 'connectionManager' || !isConnectionManager(value)) return value
        connections ??= membersOnlyStreams(value, door)
        return connections
      }
    })
    return factory(narrowed)
  }
}

const noOptions: StreamHandlerOptions = {}

function isConnectionManager(value: unknown): value is ConnectionManager {
  return typeof value === 'object' && value !== null && 'openStream' in value
}

/** Streams that the service opens itself: only on connections that are proven, or become so while they are young. */
function membersOnlyStreams(manager: ConnectionManager, { trust, streams }: Door): ConnectionManager {
  const openStream: ConnectionManager['openStream'] = async (peer, protocol, options) => {
    const connection = await manager.openConnection(peer, options)
    if (!(await trust.settled(connection))) {
      trust.refuseEnded(connection)
      throw new NotMemberError(
        `${connection.remotePeer.toString()} has not proved membership, so no ${String(protocol)} stream is opened`
      )
    }
    const stream = await connection.newStream(protocol, options)
    streams.opened(stream, connection)
    return stream
  }
  return new Proxy(manager, {
    get(target, property) {
      if (property === 'openStream') return openStream
      const value: unknown = Reflect.get(target, property)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}

/** Lets members in to a service. */
class Door {
  readonly trust: ConnectionTrust
  readonly streams: BoundedStreams
  readonly #circle: PeerCap | undefined
  readonly #isDirect: boolean

  constructor(trust: ConnectionTrust, { most, direct = false, bounds = { section: 'service' } }: MembersOnlyOptions) {
    this.trust = trust
    this.#isDirect = direct
    this.streams = new BoundedStreams(trust, bounds)
    this.#circle = most === undefined ? undefined : new PeerCap(most)
  }

  /** Such a service is opened once for a peer, and would end with a connection that a direct one replaces. */
  shuns(connection: Connection): boolean {
    return this.#isDirect && isRelayed(connection)
  }

  hasRoom(connection: Connection): boolean {
    const role = this.trust.memberOf(connection)?.role
    return (role !== undefined && isRegistryRole(role)) || this.#circle?.enter(connection) !== false
  }

  /** Calls back when there is room again. */
  wait(connection: Connection, who: object, retry: () => void): void {
    this.#circle?.wait(connection, who, retry)
  }
}

function membersHandler(handler: StreamHandler, door: Door): StreamHandler {
  const { trust } = door
  return async (stream, connection) => {
    // A member's first stream may overtake our own verdict on its hello; a stream that dies here is not opened again.
    if (!trust.isMember(connection) && !(await trust.settled(connection))) {
      stream.abort(new NotMemberError('the connection has not proved membership'))
      return
    }
    if (door.shuns(connection)) {
      stream.abort(new NotAllowedError('the service runs on direct connections alone'))
      return
    }
    if (!door.hasRoom(connection)) {
      stream.abort(new LimitError('the service deals with as many members as it may'))
      return
    }
    if (door.streams.accept(stream, connection)) await handler(stream, connection)
  }
}

/** Holds back onConnect until membership is proven, and onDisconnect where there was no onConnect. */
class MembersTopology {
  readonly topology: Topology
  readonly #inner: Topology
  readonly #door: Door
  /** Identified, not proven: by connection. Left when the connection closes, so bounded by the connections. */
  readonly #held = new Map<string, { peerId: PeerId; connection: Connection }>()
  readonly #told = new Set<string>()
  readonly #unsubscribe: () => void

  constructor(inner: Topology, door: Door) {
    this.#inner = inner
    this.#door = door
    this.#unsubscribe = door.trust.onMutual((connection) => {
      const held = this.#held.get(connection.id)
      this.#held.delete(connection.id)
      if (held !== undefined) inBackground(this.#connect(held.peerId, held.connection), 'telling a service of a member')
    })
    this.topology = {
      ...(inner.notifyOnLimitedConnection === undefined
        ? {}
        : { notifyOnLimitedConnection: inner.notifyOnLimitedConnection }),
      onConnect: (peerId, connection) => this.#onConnect(peerId, connection),
      onDisconnect: (peerId) => this.#onDisconnect(peerId)
    }
  }

  stop(): void {
    this.#unsubscribe()
    this.#held.clear()
  }

  async #onConnect(peerId: PeerId, connection: Connection): Promise<void> {
    if (this.#door.shuns(connection)) return
    if (this.#door.trust.isMutual(connection)) {
      await this.#connect(peerId, connection)
      return
    }
    if (connection.status !== 'open' || this.#held.has(connection.id)) return
    this.#held.set(connection.id, { peerId, connection })
    connection.addEventListener('close', () => this.#held.delete(connection.id), { once: true })
  }

  async #connect(peerId: PeerId, connection: Connection): Promise<void> {
    if (this.#door.hasRoom(connection)) await this.#tell(peerId, connection)
    else
      this.#door.wait(connection, this, () =>
        inBackground(this.#connect(peerId, connection), 'telling a service of a member')
      )
  }

  async #tell(peerId: PeerId, connection: Connection): Promise<void> {
    const { filter } = this.#inner
    if (filter?.has(peerId) === true) return
    filter?.add(peerId)
    this.#told.add(peerId.toString())
    await this.#inner.onConnect?.(peerId, connection)
  }

  async #onDisconnect(peerId: PeerId): Promise<void> {
    if (!this.#told.delete(peerId.toString())) return
    this.#inner.filter?.remove(peerId)
    await this.#inner.onDisconnect?.(peerId)
  }
}
