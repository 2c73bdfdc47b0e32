import { createSocket, type Socket } from 'node:dgram'
import { decodeAnnounce, pcpPorts } from './pcp-messages.ts'

/** Hears what routers say unasked when they begin anew: RFC 6887, 14.1.3. They say it to all machines of their link, ff02::1. */
export class RouterAnnouncements implements Disposable {
  readonly #socket: Socket

  /** `onFailed`: they are not heard, and pinholes are asked for anew when they are due. */
  constructor(
    onHeard: (router: string, epochSeconds: number) => void,
    onFailed: (error: Error) => void,
    port = pcpPorts.client
  ) {
    // Every program of this machine that speaks PCP has the port.
    this.#socket = createSocket({ type: 'udp6', ipv6Only: true, reuseAddr: true })
    this.#socket.on('error', onFailed)
    this.#socket.on('message', (bytes, { address }) => {
      const seconds = decodeAnnounce(bytes)
      if (seconds !== undefined) onHeard(address, seconds)
    })
    this.#socket.bind({ port, address: '::' }, () => this.#socket.unref())
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }
}
