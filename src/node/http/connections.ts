import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Exceeded } from './limits.ts'

interface Limits {
  /** Open connections. */
  most: number
  /** Until an answer was taken; event streams are exempt. */
  answerMs: number
}

/**
 * Open connections of a server. When there are too many, the one that has been quiet for longest goes; those that are being answered stay, for a
 * while, and when all are, the new one is closed.
 */
export class Connections {
  readonly #limits: Limits
  readonly #exceeded: Exceeded
  /** The quiet ones, the longest quiet first. */
  readonly #quiet = new Set<Socket>()
  readonly #open = new Set<Socket>()
  readonly #answers = new WeakMap<Socket, number>()

  constructor(server: Server, limits: Limits, exceeded: Exceeded = () => {}) {
    this.#limits = limits
    this.#exceeded = exceeded
    server.on('connection', (socket: Socket) => this.#opened(socket))
  }

  get size(): number {
    return this.#open.size
  }

  /** A request came, and this is its answer. */
  answering(response: ServerResponse): void {
    const { socket } = response.req
    this.#quiet.delete(socket)
    this.#answers.set(socket, this.#answersOf(socket) + 1)
    const late = setTimeout(() => {
      if (response.getHeader('content-type') === 'text/event-stream') return
      this.#exceeded('http.answer', socket)
      socket.resetAndDestroy()
    }, this.#limits.answerMs)
    response.once('close', () => {
      clearTimeout(late)
      this.#answers.set(socket, this.#answersOf(socket) - 1)
      if (!this.isAnswering(socket) && this.#open.has(socket)) this.#quiet.add(socket)
    })
  }

  /** It was silent for too long. A close alone would leave the kernel with what the other end does not take. */
  stalled(socket: Socket): void {
    if (socket.writableLength > 0) this.#exceeded('http.stall', socket)
    socket.resetAndDestroy()
  }

  isAnswering(socket: Socket): boolean {
    return this.#answersOf(socket) > 0
  }

  #answersOf(socket: Socket): number {
    return this.#answers.get(socket) ?? 0
  }

  #opened(socket: Socket): void {
    if (this.#open.size >= this.#limits.most) {
      this.#exceeded('http.connections', socket)
      const [longest] = this.#quiet
      if (longest === undefined) {
        socket.destroy()
        return
      }
      this.#closed(longest)
      longest.destroy()
    }
    this.#open.add(socket)
    this.#quiet.add(socket)
    socket.once('close', () => this.#closed(socket))
  }

  #closed(socket: Socket): void {
    this.#open.delete(socket)
    this.#quiet.delete(socket)
  }
}
