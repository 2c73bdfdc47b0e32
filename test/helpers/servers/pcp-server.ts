import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { parseIp6 } from '../../../src/address/ipv6.ts'
import { askRouter, type PcpInit } from '../../../src/node/pinhole/pcp-client.ts'
import type { MapRequest } from '../../../src/node/pinhole/pcp-messages.ts'
import { ceilingMs } from '../ceiling.ts'

/** Answer of a router to a request, as it is in RFC 6887. */
export interface PcpAnswer {
  code?: number
  lifetime?: number
  epoch?: number
  address?: string
  port?: number
}

/** The answer to these bytes of a request. */
export function pcpAnswer(
  request: Buffer,
  { code = 0, lifetime, epoch = 1_000, address, port }: PcpAnswer = {}
): Buffer {
  const answer = Buffer.from(request)
  answer[1] = (request[1] ?? 0) | 0x80
  answer.fill(0, 2, 24)
  answer[3] = code
  answer.writeUInt32BE(lifetime ?? request.readUInt32BE(4), 4)
  answer.writeUInt32BE(epoch, 8)
  if (address !== undefined) answer.set(parseIp6(address) ?? [], 44)
  if (port !== undefined) answer.writeUInt16BE(port, 42)
  return answer
}

/** A router on the loopback: it says what the test wants. */
export class PcpServer implements AsyncDisposable {
  /** Messages that it answers a request with. */
  answer: (request: Buffer) => Buffer[] = (request) => [pcpAnswer(request)]
  /** Requests that were begun; each is sent once, or twice. */
  readonly asked: MapRequest[] = []
  /** Time that is waited for an answer: far more than it takes, unless none comes. */
  patienceMs = ceilingMs
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (request, { address, port }) => {
      for (const message of this.answer(request)) socket.send(message, port, address)
    })
  }

  static async start(): Promise<PcpServer> {
    const socket = createSocket({ type: 'udp6', ipv6Only: true })
    socket.bind(0, '::1')
    await once(socket, 'listening')
    return new PcpServer(socket)
  }

  /** Asks this router in place of any other one. */
  get ask(): typeof askRouter {
    const { port } = this.#socket.address()
    return async (init: PcpInit) => {
      this.asked.push(init.request)
      return await askRouter({ timing: { firstMs: this.patienceMs, tries: 2 }, ...init, port })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }
}
