import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { type Answer, encode } from 'dns-packet'
import { decodeBounded } from './bounded-decode.ts'
import { answerTo, type Zone } from './zone.ts'

/** The only address it binds: it serves this machine's own networks. */
const host = '::1'
const maxTcpConnections = 64
const tcpIdleMs = 5000
/** A question is one name. */
const maxQuestionBytes = 4096
/** Without EDNS (RFC 1035), and the most that surely is not fragmented (DNS flag day 2020). */
const plainUdpBytes = 512
const ednsUdpBytes = 1232
const bindTries = 16

/**
 * An authoritative server for one zone on loopback, for a whole network on one machine and for tests. UDP and TCP on
 * the same port; what does not fit into UDP is truncated so that the resolver asks again by TCP.
 */
export class Authority implements AsyncDisposable {
  readonly zone: Zone
  readonly port: number
  readonly #tcp: Server
  readonly #udp: UdpSocket
  readonly #sockets = new Set<Socket>()

  private constructor(zone: Zone, tcp: Server, udp: UdpSocket, port: number) {
    this.zone = zone
    this.#tcp = tcp
    this.#udp = udp
    this.port = port
    tcp.on('connection', (socket) => this.#serve(socket))
    udp.on('message', (bytes, from) => this.#reply(bytes, from))
    // A reply that cannot be sent is the asker's trouble; it asks again.
    udp.on('error', () => {})
  }

  /** port 0: a free one. */
  static async start(zone: Zone, port = 0): Promise<Authority> {
    for (let attempt = 1; ; attempt++) {
      const tcp = createServer()
      tcp.maxConnections = maxTcpConnections
      tcp.listen({ host, port, ipv6Only: true })
      await once(tcp, 'listening')
      const address = tcp.address()
      const bound = typeof address === 'object' && address !== null ? address.port : port
      const udp = createSocket({ type: 'udp6', ipv6Only: true })
      try {
        udp.bind(bound, host)
        await once(udp, 'listening')
        return new Authority(zone, tcp, udp, bound)
      } catch (error) {
        tcp.close()
        udp.close()
        // The number is free for TCP but taken for UDP: another one is as good, unless the caller chose it.
        if (port !== 0 || attempt >= bindTries) throw error
      }
    }
  }

  /** As resolvers want it: `[::1]:5353`. */
  get address(): string {
    return `[${host}]:${this.port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#udp.close()
    this.#tcp.close()
    await once(this.#tcp, 'close')
  }

  #reply(bytes: Uint8Array, from: RemoteInfo): void {
    const reply = respond(this.zone, bytes, true)
    if (reply !== undefined) this.#udp.send(reply, from.port, from.address)
  }

  #serve(socket: Socket): void {
    let held = Buffer.alloc(0)
    this.#sockets.add(socket)
    socket.setTimeout(tcpIdleMs, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('data', (chunk) => {
      held = Buffer.concat([held, chunk])
      while (held.length >= 2) {
        const length = held.readUInt16BE(0)
        if (length > maxQuestionBytes) return socket.destroy()
        if (held.length < 2 + length) return undefined
        const reply = respond(this.zone, held.subarray(2, 2 + length), false)
        held = held.subarray(2 + length)
        if (reply === undefined) return socket.destroy()
        socket.write(Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 0xff]), reply]))
      }
      return undefined
    })
  }
}

/** undefined: no question at all, so no answer. */
const respond = (zone: Zone, bytes: Uint8Array, udp: boolean): Buffer | undefined => {
  try {
    const packet = decodeBounded(Buffer.from(bytes))
    if (packet.type !== 'query') return undefined
    const edns = packet.additionals?.find((additional) => additional.type === 'OPT')
    const wanted = edns?.type === 'OPT' ? Math.min(edns.udpPayloadSize, ednsUdpBytes) : plainUdpBytes
    const limit = udp ? Math.max(plainUdpBytes, wanted) : 65_535
    const opt: Answer[] = edns === undefined ? [] : [optOf()]
    const reply = answerTo(zone, packet)
    const whole = encode({ ...reply, additionals: opt })
    if (whole.length <= limit) return whole
    return encode({ ...reply, flags: (reply.flags ?? 0) | truncated, answers: [], authorities: [], additionals: opt })
  } catch {
    return undefined
  }
}

const truncated = 0x0200

const optOf = (): Answer => ({
  type: 'OPT',
  name: '.',
  udpPayloadSize: ednsUdpBytes,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: []
})
