import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { serveMethods } from '../harness/serve.ts'

/** Plain TCP over ::1: one end writes the same bytes to all sockets, the other notes when they came. */
const sockets: Socket[] = []
let server: Server | undefined
let arrivals: number[] = []

const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6

const methods = {
  async listen(): Promise<number> {
    server = createServer((socket) => sockets.push(socket.setNoDelay(true)))
    server.listen({ host: '::1', port: 0 })
    await once(server, 'listening')
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  },

  async connect(port: number, count: number): Promise<void> {
    for (let made = 0; made < count; made++) {
      const socket = connect({ host: '::1', port, noDelay: true })
      await once(socket, 'connect')
      socket.on('data', () => arrivals.push(machineMs()))
      sockets.push(socket)
    }
  },

  /** Gives when it began (machine clock, ms). */
  write(bytes: number): number {
    const from = machineMs()
    const data = Buffer.alloc(bytes, 7)
    for (const socket of sockets) socket.write(data)
    return from
  },

  arrivals(): number[] {
    const all = arrivals
    arrivals = []
    return all
  }
}

export type SocketsMethods = typeof methods

serveMethods(methods, async () => {
  for (const socket of sockets) socket.destroy()
  server?.close()
})
