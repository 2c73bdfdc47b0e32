import { createServer, type Server, type Socket } from 'node:net'
import { onAbort } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { InvalidPayloadError, LimitError } from '../../runtime/errors.ts'
import { inWords } from '../../runtime/files/system-error.ts'

export interface ListenerInit {
  peer?: string | undefined
  service: string
  host: string
  port: number
  /** Connections that are taken at a time, and that wait for the place of one of them. */
  most: number
  /** Time for a place to become free. */
  waitMs: number
  /** Joins a connection to the service. */
  join: (socket: Socket, signal: AbortSignal) => Promise<unknown>
  /** Told why a connection came to nothing. */
  onFailed: (error: Error) => void
}

/** An address of this machine at which a service of another member is reached. */
export class ForwardListener implements AsyncDisposable {
  readonly peer: string | undefined
  readonly service: string
  /** Connections since the start, and those of them that came to nothing. */
  taken = 0
  failed = 0
  readonly #init: ListenerInit
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Connections that wait for a place, longest first, and how each is given one. */
  readonly #waiting = new Map<Socket, () => void>()
  readonly #over = new AbortController()
  readonly #closed = Promise.withResolvers<void>()
  /** Resolves when it listens no more. */
  readonly closed = this.#closed.promise

  private constructor(init: ListenerInit) {
    this.#init = init
    this.peer = init.peer
    this.service = init.service
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
      inBackground(this.#take(socket), 'forwarding a connection')
    )
  }

  /** @throws InvalidPayloadError when the address cannot be listened on */
  static async open(init: ListenerInit): Promise<ForwardListener> {
    const listener = new ForwardListener(init)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const refuse = ({ message }: Error): void =>
      reject(
        new InvalidPayloadError(inWords(message.replace(`${init.host}:${init.port}`, `[${init.host}]:${init.port}`)))
      )
    listener.#server.once('error', refuse)
    listener.#server.listen({ host: init.host, port: init.port, ipv6Only: true }, resolve)
    await promise
    // A descriptor that is missing for one connection is no end of the listener.
    listener.#server.off('error', refuse).on('error', (error) => init.onFailed(error))
    return listener
  }

  /** `[::1]:5432`. */
  get address(): string {
    const bound = this.#server.address()
    const port = typeof bound === 'object' && bound !== null ? bound.port : this.#init.port
    return `[${this.#init.host}]:${port}`
  }

  get open(): number {
    return this.#sockets.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort(new Error('the forward is over'))
    this.#server.close(() => this.#closed.resolve())
    for (const socket of this.#sockets) socket.resetAndDestroy()
    await this.closed
  }

  async #take(socket: Socket): Promise<void> {
    socket.on('error', () => {})
    this.taken++
    try {
      await this.#place(socket)
      await this.#init.join(socket, this.#over.signal)
    } catch (error) {
      if (!socket.destroyed) socket.resetAndDestroy()
      if (!this.#over.signal.aborted) this.#fail(error instanceof Error ? error : new Error(reasonOf(error)))
    }
  }

  /** Waits for a place: connections that end, and those that follow them, are heard of in any order. */
  async #place(socket: Socket): Promise<void> {
    const { most, waitMs } = this.#init
    if (this.#sockets.size < most) return this.#hold(socket)
    const full = new LimitError(`more than ${most} connections at a time: one more is reset`)
    if (this.#waiting.size >= most) throw full
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => reject(full), waitMs)
    using _ = onAbort(this.#over.signal, reject)
    this.#waiting.set(socket, resolve)
    try {
      await promise
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(socket)
    }
  }

  #hold(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#placeNext()
    })
  }

  #placeNext(): void {
    const [next] = this.#waiting
    if (next === undefined) return
    const [socket, go] = next
    this.#waiting.delete(socket)
    this.#hold(socket)
    go()
  }

  #fail(error: Error): void {
    this.failed++
    this.#init.onFailed(error)
  }
}
