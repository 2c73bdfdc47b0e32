import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { scopeOf } from '../../address/ipv6.ts'
import { codeOf } from '../../runtime/error-code.ts'
import type { LinkSource } from './hints.ts'

/** Multicast DNS over IPv6 (RFC 6762). */
const group = 'ff02::fb'
const port = 5353
const hops = 255

export interface LinkSocketInit {
  /** A packet from an address of a link, whatever it says. */
  readonly onPacket: (bytes: Buffer, from: LinkSource) => void
  /** It is closed, and nothing is heard any more. */
  readonly onLost: (error: Error) => void
}

/** The port of multicast DNS, which other programs of the machine may have open as well. */
export class LinkSocket {
  readonly #socket: Socket
  readonly #joined = new Set<string>()

  private constructor(socket: Socket, { onPacket, onLost }: LinkSocketInit) {
    this.#socket = socket
    socket.on('message', (bytes, from) => {
      const source = sourceOf(from)
      // All sockets of the port hear of every link on which any of them is in the group.
      if (source !== undefined && this.#joined.has(source.zone)) onPacket(bytes, source)
    })
    socket.on('error', (error) => {
      this.close()
      onLost(error)
    })
  }

  /** @throws when the port cannot be opened */
  static async open(init: LinkSocketInit): Promise<LinkSocket> {
    const socket = createSocket({ type: 'udp6', reuseAddr: true, ipv6Only: true })
    try {
      socket.bind(port, '::')
      await once(socket, 'listening')
      socket.setMulticastTTL(hops)
      return new LinkSocket(socket, init)
    } catch (error) {
      socket.close()
      throw error
    }
  }

  /** Names of the interfaces on which it listens. */
  get devices(): readonly string[] {
    return [...this.#joined]
  }

  /**
   * Listens on these interfaces and on no other. Gives those that are new; one that cannot be joined now is tried at the next call. The group
   * is not left: an interface that is gone has no index any more, and the system would take away what another one has.
   */
  follow(devices: readonly string[]): string[] {
    for (const device of this.#joined) if (!devices.includes(device)) this.#joined.delete(device)
    return devices.filter((device) => this.#join(device))
  }

  /** Sends to everybody on these links. What cannot be sent is lost, as on any link. */
  send(bytes: Buffer, devices: readonly string[] = this.devices): void {
    for (const device of devices) {
      try {
        this.#socket.send(bytes, port, `${group}%${device}`, () => {})
      } catch {
        // It was closed a moment ago.
      }
    }
  }

  close(): void {
    this.#joined.clear()
    try {
      this.#socket.close()
    } catch {
      // It is closed already.
    }
  }

  /** true: it is new here, or another interface than the one that had this name. */
  #join(device: string): boolean {
    const isKnown = this.#joined.has(device)
    try {
      this.#socket.addMembership(group, `::%${device}`)
    } catch (error) {
      // In the group already.
      if (codeOf(error) !== 'EADDRINUSE') return false
      this.#joined.add(device)
      return !isKnown
    }
    this.#joined.add(device)
    return true
  }
}

/** undefined: it may come from anywhere. Nobody forwards a packet with a link-local source, so one that has it is of the link. */
const sourceOf = ({ address, port: from }: RemoteInfo): LinkSource | undefined => {
  const [ip = '', zone] = address.split('%')
  return zone !== undefined && from === port && scopeOf(ip) === 'link-local' ? { address: ip, zone } : undefined
}
