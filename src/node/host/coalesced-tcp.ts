import { Server, Socket } from 'node:net'
import type { Listener, MultiaddrConnection, Transport, Upgrader, UpgraderOptions } from '@libp2p/interface'
import { type TCPComponents, type TCPOptions, tcp } from '@libp2p/tcp'
import type { Multiaddr } from '@multiformats/multiaddr'
import { parseLinkAddr } from '../../address/multiaddr.ts'
import { countBuffer } from '../../runtime/young-generation.ts'
import type { DialHistory } from './dial-history.ts'

/**
 * libp2p's TCP, with what one turn of the event loop writes to a socket in one system call: libp2p itself makes one for each buffer of
 * each frame, 26 for a request on a stream of its own. And in one turn no more is read from a socket than one buffer of Node: it reads
 * 2 MiB where they are there, and some dozen connections that send without end would have the event loop for a second.
 */
export const coalescedTcp =
  (init: TCPOptions, { onDial, link = false }: { onDial?: DialHistory | undefined; link?: boolean } = {}) =>
  (components: TCPComponents): Transport => {
    const transport = tcp(init)(components)
    const dial = transport.dial.bind(transport)
    const createListener = transport.createListener.bind(transport)
    transport.dial = async (address, options) => {
      const begin = performance.now()
      const ended = (result: { peerId: string | undefined; error?: unknown }): void =>
        onDial?.add(address.toString(), { atMs: Date.now(), tookMs: Math.round(performance.now() - begin), ...result })
      try {
        const connection = await dial(address, {
          ...options,
          ...hostOnLink(address),
          upgrader: coalescing(options.upgrader)
        })
        ended({ peerId: connection.remotePeer.toString() })
        return connection
      } catch (error) {
        ended({ peerId: undefined, error })
        throw error
      }
    }
    transport.createListener = (options) => {
      const listener = withLastAddresses(createListener({ ...options, upgrader: coalescing(options.upgrader) }))
      return link ? withLinks(listener) : listener
    }
    return transport
  }

/** The interface, which libp2p takes out of the multiaddr and then drops: without it the kernel knows no way to a link-local address. */
const hostOnLink = (address: Multiaddr): { host?: string } => {
  const onLink = parseLinkAddr(address)
  return onLink === undefined ? {} : { host: `${onLink.ip}%${onLink.zone}` }
}

/** Connections from link-local addresses come in too: libp2p makes no multiaddr of one with an interface, and hangs up. */
const withLinks = (listener: Listener): Listener => {
  // No part of the interface: without it such connections stay refused.
  if (!('server' in listener) || !(listener.server instanceof Server)) return listener
  listener.server.prependListener('connection', (socket: Socket) => {
    const [address, zone] = (socket.remoteAddress ?? '').split('%')
    if (zone !== undefined) Object.defineProperty(socket, 'remoteAddress', { value: address })
  })
  return listener
}

/**
 * Addresses of a listener on `::` are those of the interfaces, which cannot be read while no descriptor is free. libp2p asks in timers of
 * its own, where an error would end the process: the answer before stands in for it.
 */
const withLastAddresses = (listener: Listener): Listener => {
  const read = listener.getAddrs.bind(listener)
  let last: ReturnType<Listener['getAddrs']> = []
  listener.getAddrs = () => {
    try {
      last = read()
    } catch {
      // Asked again at the next change, and by the watch over the interfaces, which says what fails.
    }
    return last
  }
  return listener
}

/** The upgrader is the first to be given a new connection. */
const coalescing = (upgrader: Upgrader): Upgrader => ({
  upgradeInbound: (connection: MultiaddrConnection, options: UpgraderOptions) =>
    upgrader.upgradeInbound(coalesced(connection), options),
  upgradeOutbound: (connection: MultiaddrConnection, options: UpgraderOptions) =>
    upgrader.upgradeOutbound(coalesced(connection), options),
  createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
  getStreamMuxers: () => upgrader.getStreamMuxers(),
  getConnectionEncrypters: () => upgrader.getConnectionEncrypters()
})

const coalesced = (connection: MultiaddrConnection): MultiaddrConnection => {
  // No part of the interface: without it every write stays a system call.
  if ('socket' in connection && connection.socket instanceof Socket) {
    coalesceWrites(connection.socket)
    takeTurns(connection.socket)
  }
  return connection
}

const bytesOfTurn = 64 * 1024

/** Reads on in the next turn of the event loop when that many bytes came in this one. */
export const takeTurns = (socket: Socket): void => {
  let bytes = 0
  const nextTurn = (): void => {
    bytes = 0
    socket.resume()
  }
  socket.on('data', (chunk) => {
    countBuffer(chunk.length)
    bytes += chunk.length
    if (bytes < bytesOfTurn || socket.isPaused()) return
    socket.pause()
    setImmediate(nextTurn)
  })
}

/** Holds back what is written until the events of this turn are worked off, or the buffer is full. */
export const coalesceWrites = (socket: Socket): void => {
  const uncork = (): void => socket.uncork()
  socket.write = new Proxy(socket.write.bind(socket), {
    apply(write, self, given): boolean {
      if (socket.writableCorked === 0) {
        socket.cork()
        setImmediate(uncork)
      }
      const takesMore = Reflect.apply(write, self, given)
      if (!takesMore) socket.uncork()
      return takesMore
    }
  })
}
