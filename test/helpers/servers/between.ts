import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** Carries everything; no answers; no answers, and ends the connection in their place; nothing at all. */
type Way = 'open' | 'silent' | 'broken' | 'cut'

/** A way to a port on ::1 on which answers get lost. */
export class Between implements AsyncDisposable {
  /** For what comes from now on. */
  way: Way = 'open'
  readonly #server
  readonly #sockets = new Set<Socket>()
  #lost = 0

  private constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect({ host: '::1', port })
      this.#keep(near, far)
      this.#keep(far, near)
      near.on('data', (chunk: Buffer) => {
        if (this.way !== 'cut') far.write(chunk)
      })
      far.on('data', (chunk: Buffer) => {
        if (this.way === 'open') near.write(chunk)
        else this.#lost++
        if (this.way === 'broken') near.destroy()
      })
    })
  }

  static async start(port: number): Promise<Between> {
    const between = new Between(port)
    between.#server.listen({ host: '::1', port: 0, ipv6Only: true })
    await once(between.#server, 'listening')
    return between
  }

  get port(): number {
    const bound = this.#server.address()
    if (typeof bound !== 'object' || bound === null) throw new Error('no port')
    return bound.port
  }

  /** Pieces of answers that did not arrive. */
  get lost(): number {
    return this.#lost
  }

  #keep(socket: Socket, other: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#sockets.delete(socket)
      other.destroy()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
