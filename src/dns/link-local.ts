import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { resolverParts } from '../address/spelling.ts'

/** A resolver for c-ares, and what stands behind it. */
export interface UsableResolver extends AsyncDisposable {
  /** As `setServers` takes it. */
  readonly address: string
}

/** Questions that wait for an answer; the resolver asks one name at a time. */
const maxWaiting = 64

/** The resolver as Node can ask it: of a link-local one, as routers advertise, it drops the interface, so a relay on loopback stands for it. */
export const usableResolver = async (server: string): Promise<UsableResolver> => {
  if (!server.includes('%')) return { address: server, [Symbol.asyncDispose]: async () => {} }
  return await startRelay(resolverParts(server))
}

const startRelay = async (to: { host: string; port: number }): Promise<UsableResolver> => {
  const streams = createServer((near) => {
    const far = connect(to)
    near.pipe(far).pipe(near)
    for (const socket of [near, far]) socket.on('error', () => near.destroy() && far.destroy())
  })
  streams.listen({ host: '::1', port: 0 })
  await once(streams, 'listening')
  // A connection that cannot be taken is a question without an answer.
  streams.on('error', () => {})
  const port = portOf(streams)
  const [near, far] = [createSocket('udp6'), createSocket('udp6')]
  near.bind(port, '::1')
  far.connect(to.port, to.host)
  await Promise.all([once(near, 'listening'), once(far, 'connect')])
  relay(near, far)
  const close = async (): Promise<void> => {
    near.close()
    far.close()
    streams.close()
  }
  return { address: `[::1]:${port}`, [Symbol.asyncDispose]: close }
}

/** Answers find their asker by the number of the message. */
const relay = (near: Socket, far: Socket): void => {
  const askers = new Map<number, RemoteInfo>()
  near.on('message', (message, asker) => {
    if (message.length < 2) return
    if (askers.size >= maxWaiting) askers.clear()
    askers.set(message.readUInt16BE(0), asker)
    far.send(message)
  })
  far.on('message', (message) => {
    const asker = message.length < 2 ? undefined : askers.get(message.readUInt16BE(0))
    if (asker !== undefined) near.send(message, asker.port, asker.address)
  })
  // Nobody listens there: the question runs into its deadline.
  for (const socket of [near, far]) socket.on('error', () => {})
}

const portOf = (server: Server): number => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a relay has no port')
  return address.port
}
