import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { type Answer, encode, type OptAnswer, type Packet } from 'dns-packet'
import { inBackground } from '../runtime/background.ts'
import { decodeBounded } from './bounded-decode.ts'

/** Answers a question; what it throws is SERVFAIL. */
export type Answerer = (query: Packet) => Packet | Promise<Packet>

export interface NameServerInit {
  /** An IPv6 address of this machine. */
  readonly host: string
  /** 0: a free one. */
  readonly port: number
  readonly answer: Answerer
  /** Gives false for a question that is one too many; default: none is. */
  readonly takes?: () => boolean
  /** Called with the code of each answer. */
  readonly onAnswer?: (rcode: number) => void
}

export const rcodes = { noError: 0, formErr: 1, servFail: 2, nxDomain: 3, notImplemented: 4, refused: 5 } as const

const maxTcpConnections = 64
const tcpIdleMs = 5000
/** A question is one name. */
const maxQuestionBytes = 4096
const headerBytes = 12
/** Without EDNS (RFC 1035), and the most that surely is not fragmented (DNS flag day 2020). */
const plainUdpBytes = 512
const ednsUdpBytes = 1232
const maxTcpBytes = 65_535
const bindTries = 16
const isResponse = 0x8000
const truncated = 0x0200
const opcodeMask = 0x7800
const dnssecOk = 0x8000
const badVersion = 1
const recursionDesired = 0x0100

/** DNS over UDP and TCP on one port; what does not fit into UDP is truncated so that the asker comes again by TCP. */
export class NameServer implements AsyncDisposable {
  readonly port: number
  readonly #init: NameServerInit
  readonly #tcp: Server
  readonly #udp: UdpSocket
  /** The one that came first is the first. */
  readonly #sockets = new Set<Socket>()

  private constructor(init: NameServerInit, tcp: Server, udp: UdpSocket, port: number) {
    this.#init = init
    this.port = port
    this.#tcp = tcp
    this.#udp = udp
    tcp.on('connection', (socket) => this.#serve(socket))
    udp.on('message', (bytes, from) => inBackground(this.#reply(bytes, from), 'answering a question of DNS'))
    // A reply that cannot be sent, or a connection that cannot be taken, is the asker's trouble; it asks again.
    tcp.on('error', () => {})
    udp.on('error', () => {})
  }

  static async start(init: NameServerInit): Promise<NameServer> {
    const { host, port } = init
    for (let attempt = 1; ; attempt++) {
      // Who says that it asks no more still reads the answers.
      const tcp = createServer({ allowHalfOpen: true })
      tcp.listen({ host, port, ipv6Only: true })
      await once(tcp, 'listening')
      const address = tcp.address()
      const bound = typeof address === 'object' && address !== null ? address.port : port
      const udp = createSocket({ type: 'udp6', ipv6Only: true })
      try {
        udp.bind(bound, host)
        await once(udp, 'listening')
        return new NameServer(init, tcp, udp, bound)
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
    return `[${this.#init.host}]:${this.port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#udp.close()
    this.#tcp.close()
    await once(this.#tcp, 'close')
  }

  async #reply(bytes: Uint8Array, from: RemoteInfo): Promise<void> {
    const reply = await this.#respond(bytes, true)
    // It may have been closed meanwhile.
    if (reply !== undefined) {
      try {
        this.#udp.send(reply, from.port, from.address, () => {})
      } catch {}
    }
  }

  #serve(socket: Socket): void {
    const [oldest] = this.#sockets
    if (this.#sockets.size >= maxTcpConnections) oldest?.destroy()
    this.#sockets.add(socket)
    socket.setTimeout(tcpIdleMs, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    inBackground(this.#talk(socket), 'answering questions of DNS')
  }

  /** Goes on only as fast as the asker reads: no more than a buffer of the socket and one answer wait for it. */
  async #talk(socket: Socket): Promise<void> {
    try {
      await pipeline(socket, (chunks: AsyncIterable<Buffer>) => this.#replies(chunks), socket)
    } catch {
      // The asker is gone.
    } finally {
      socket.destroy()
    }
  }

  /** One question after the other, in their order. */
  async *#replies(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let held = Buffer.alloc(0)
    for await (const chunk of chunks) {
      held = Buffer.concat([held, chunk])
      while (held.length >= 2) {
        const length = held.readUInt16BE(0)
        if (length > maxQuestionBytes) return
        if (held.length < 2 + length) break
        const reply = await this.#respond(held.subarray(2, 2 + length), false)
        held = held.subarray(2 + length)
        if (reply === undefined) return
        yield Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 0xff]), reply])
      }
    }
  }

  /** undefined: no question at all, or one too many, so no answer. */
  async #respond(bytes: Uint8Array, isUdp: boolean): Promise<Buffer | undefined> {
    if (this.#init.takes?.() === false) return undefined
    const read = readQuery(Buffer.from(bytes))
    if (read === undefined) return undefined
    const { query, refusal } = read
    const reply = refusal === undefined ? await this.#answer(query) : failed(query, refusal)
    this.#init.onAnswer?.((reply.flags ?? 0) & 0xf)
    return fitted(reply, query, isUdp)
  }

  async #answer(query: Packet): Promise<Packet> {
    try {
      if ((optsOf(query)[0]?.ednsVersion ?? 0) !== 0)
        return { ...failed(query, 0), extendedRcode: badVersion } as Packet
      return await this.#init.answer(query)
    } catch {
      return failed(query, rcodes.servFail)
    }
  }
}

/** An answer without records. */
export const failed = ({ id = 0, flags = 0, questions = [] }: Packet, rcode: number): Packet => ({
  type: 'response',
  id,
  flags: (flags & (opcodeMask | recursionDesired)) | rcode,
  questions
})

/** A message that asks, and the code with which it is refused unheard: then its head is all that was read. */
interface ReadQuery {
  readonly query: Packet
  readonly refusal?: number
}

/** undefined: it is an answer, or shorter than any message. */
const readQuery = (bytes: Buffer): ReadQuery | undefined => {
  if (bytes.length < headerBytes || (bytes.readUInt16BE(2) & isResponse) !== 0) return undefined
  const head = { id: bytes.readUInt16BE(0), flags: bytes.readUInt16BE(2) }
  if ((head.flags & opcodeMask) !== 0) return { query: head, refusal: rcodes.notImplemented }
  const query = bytes.length > maxQuestionBytes || isOverfull(bytes) ? undefined : decoded(bytes)
  return query === undefined ? { query: head, refusal: rcodes.formErr } : { query }
}

/** A question with more than one asks for, looked at before anything is decoded: a name that is pointed to costs the same each time. */
const isOverfull = (bytes: Buffer): boolean =>
  [1, 0, 1, 4].some((most, section) => bytes.readUInt16BE(4 + 2 * section) > most)

/** undefined: it is no message, or has more than one OPT (RFC 6891), or a name that an answer could not repeat. */
const decoded = (bytes: Buffer): Packet | undefined => {
  try {
    const query = decodeBounded(bytes)
    return optsOf(query).length <= 1 && isRepeatable(query, bytes) ? query : undefined
  } catch {
    return undefined
  }
}

/** false: the name has bytes that are no text, or a dot within a label, and would come back as another one. */
const isRepeatable = ({ questions = [] }: Packet, bytes: Buffer): boolean => {
  const asked = encode({ type: 'query', questions: [...questions] }).subarray(headerBytes)
  return asked.equals(bytes.subarray(headerBytes, headerBytes + asked.length))
}

const optsOf = ({ additionals = [] }: Packet): OptAnswer[] =>
  additionals.filter((additional) => additional.type === 'OPT')

/** As much of it as the asker takes: without what is additional, or truncated where that is not enough. */
const fitted = (reply: Packet, query: Packet, isUdp: boolean): Buffer => {
  const [edns] = optsOf(query)
  const wanted = edns === undefined ? plainUdpBytes : Math.min(edns.udpPayloadSize, ednsUdpBytes)
  const limit = isUdp ? Math.max(plainUdpBytes, wanted) : maxTcpBytes
  const opt: Answer[] = edns === undefined ? [] : [ownOpt(reply, edns)]
  const whole = encode({ ...reply, additionals: [...(reply.additionals ?? []), ...opt] })
  if (whole.length <= limit) return whole
  const bare = encode({ ...reply, additionals: opt })
  if (bare.length <= limit) return bare
  return encode({ ...reply, flags: (reply.flags ?? 0) | truncated, answers: [], authorities: [], additionals: opt })
}

/** The bit for DNSSEC comes back as it was (RFC 3225). */
const ownOpt = (reply: Packet & { extendedRcode?: number }, asked: OptAnswer): OptAnswer => ({
  type: 'OPT',
  name: '.',
  udpPayloadSize: ednsUdpBytes,
  extendedRcode: reply.extendedRcode ?? 0,
  ednsVersion: 0,
  flags: asked.flags & dnssecOk,
  flag_do: asked.flag_do,
  options: []
})
