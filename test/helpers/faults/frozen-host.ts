import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

export interface FrozenHost extends AsyncDisposable {
  /** `/ip6/::1/tcp/PORT` */
  readonly address: string
  readonly port: number
  /** How many connected. */
  readonly accepted: number
  /** All bytes that anybody sent. */
  readonly received: number
}

/** Accepts every connection on ::1 and never says a word. */
export async function frozenHost(wanted = 0): Promise<FrozenHost> {
  const sockets = new Set<Socket>()
  let accepted = 0
  let received = 0
  const server = createServer((socket) => {
    accepted++
    sockets.add(socket)
    socket.on('data', (chunk) => {
      received += chunk.length
    })
    socket.on('error', () => {})
  })
  server.listen({ host: '::1', port: wanted, ipv6Only: true })
  await once(server, 'listening')
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  return {
    address: `/ip6/::1/tcp/${port}`,
    port,
    get accepted() {
      return accepted
    },
    get received() {
      return received
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  }
}
