import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { askedFor, askFor } from '../../harness/members/bare-stream.ts'
import { mebibyte } from '../../harness/rows.ts'
import { serveMethods } from '../../harness/serve.ts'
import { portOf } from '../../harness/tunnels/tunnel.ts'

/** The services that are called, and the programs that call them: neither knows of anything but TCP. */
const servers: Server[] = []
const piece = Buffer.alloc(64 * 1024, 7)
const endless = 2 ** 40

function* pieces(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= piece.byteLength) yield piece.subarray(0, left)
}

async function serve(onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    // Whoever calls goes when it has enough.
    socket.on('error', () => {})
    onSocket(socket)
  }).listen(0, '::1')
  servers.push(server)
  await once(server, 'listening')
  return portOf(server)
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ host: '::1', port, noDelay: true })
  await once(socket, 'connect')
  return socket
}

const methods = {
  /** Gives the ports of two services: one sends bytes that it is asked for, the other one sends back what comes. */
  start: async (): Promise<{ bytes: number; back: number }> => ({
    bytes: await serve((socket) =>
      socket.once(
        'data',
        (question) => void pipeline(Readable.from(pieces(askedFor(question))), socket).catch(() => {})
      )
    ),
    back: await serve((socket) => void socket.pipe(socket))
  }),

  /** MiB per second of so many bytes over one connection. */
  async receive(port: number, bytes: number): Promise<number> {
    const socket = await dial(port)
    const from = performance.now()
    socket.write(askFor(bytes))
    let came = 0
    for await (const chunk of socket as AsyncIterable<Buffer>) came += chunk.byteLength
    if (came !== bytes) throw new Error(`${came} of ${bytes} bytes came`)
    return bytes / mebibyte / ((performance.now() - from) / 1_000)
  },

  /** Round trips of so many bytes, one after the other, ms. */
  async trips(port: number, count: number, bytes: number): Promise<number[]> {
    const socket = await dial(port)
    let back = Promise.withResolvers<void>()
    let came = 0
    socket.on('data', (chunk) => {
      came += chunk.byteLength
      if (came % bytes === 0) back.resolve()
    })
    socket.once('close', () => back.reject(new Error('the connection was closed')))
    const message = Buffer.alloc(bytes, 1)
    const took: number[] = []
    for (let trip = 0; trip < count; trip++) {
      back = Promise.withResolvers<void>()
      const from = performance.now()
      socket.write(message)
      await back.promise
      took.push(performance.now() - from)
    }
    socket.destroy()
    return took
  },

  /** Connections that take all they are sent for so long, once each of them was sent something: MiB per second of the one that had least, of the one that had most, and of all. */
  async share(port: number, count: number, ms: number): Promise<{ least: number; most: number; all: number }> {
    const all = await Promise.all(Array.from({ length: count }, async () => ({ socket: await dial(port), bytes: 0 })))
    await Promise.all(
      all.map(async (each) => {
        each.socket.on('data', (chunk) => {
          each.bytes += chunk.byteLength
        })
        each.socket.write(askFor(endless))
        await once(each.socket, 'data')
      })
    )
    const before = all.map(({ bytes }) => bytes)
    const from = performance.now()
    await pause(ms)
    const seconds = (performance.now() - from) / 1_000
    const perSecond = all.map(({ bytes }, at) => (bytes - (before[at] ?? 0)) / mebibyte / seconds)
    await Promise.all(
      all.map(async ({ socket }) => {
        const closed = once(socket, 'close')
        socket.destroy()
        await closed
      })
    )
    return {
      least: Math.min(...perSecond),
      most: Math.max(...perSecond),
      all: perSecond.reduce((sum, each) => sum + each, 0)
    }
  }
}

export type ProgramsMethods = typeof methods

serveMethods(methods, async () => {
  for (const server of servers) server.close()
})
