import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Open connections of a server. When there are too many, the one that has been quiet for longest goes; those that are being answered stay, and
 * when all are, the new one is closed.
 */
export class Connections {
  readonly #most: number
  /** The quiet ones, the longest quiet first. */
  readonly #quiet = new Set<Socket>()
  readonly #open = new Set<Socket>()
  readonly #answers = new Map<Socket, number>()

  constructor(server: Server, most: number) {
    this.#most = most
    server.on('connection', (socket: Socket) => this.#opened(socket))
  }

  get size(): number {
    return this.#open.size
  }

  /** A request came on this connection. Returns how to say that it was answered. */
  answering(socket: Socket): () => void {
    this.#quiet.delete(socket)
    this.#answers.set(socket, (this.#answers.get(socket) ?? 0) + 1)
    return () => {
      const others = (this.#answers.get(socket) ?? 1) - 1
      this.#answers.set(socket, others)
      if (others === 0 && this.#open.has(socket)) this.#quiet.add(socket)
    }
  }

  #opened(socket: Socket): void {
    if (this.#open.size >= this.#most) {
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
    this.#answers.delete(socket)
  }
}
