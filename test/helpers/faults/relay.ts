import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { TrustNode } from '../../../src/node/node.ts'
import type { Invite } from '../../../src/registry/objects/invite.ts'
import { ceilingMs } from '../ceiling.ts'
import type { TestNetwork } from '../network.ts'

export interface Relay extends AsyncDisposable {
  readonly port: number
  /** All bytes that went either way. */
  heard(): Buffer
  /** From now on the connections that are open carry nothing and tell nobody; new ones work. */
  freeze(): void
  /** They go on, and nothing was lost. */
  thaw(): void
}

/** A machine between two others on ::1: it passes on what it gets, and keeps a copy. */
export async function relayTo(port: number): Promise<Relay> {
  const heard: Buffer[] = []
  const sockets = new Set<Socket>()
  const pass = (from: Socket, to: Socket): void => {
    sockets.add(from)
    from.on('data', (chunk: Buffer) => {
      heard.push(chunk)
      to.write(chunk)
    })
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
    from.on('error', () => to.destroy())
  }
  const server = createServer((near) => {
    const far = connect({ host: '::1', port })
    pass(near, far)
    pass(far, near)
  })
  server.listen({ host: '::1', port: 0, ipv6Only: true })
  await once(server, 'listening')
  const bound = server.address()
  if (typeof bound !== 'object' || bound === null) throw new Error('no port')
  return {
    port: bound.port,
    heard: () => Buffer.concat(heard),
    freeze: () => {
      for (const socket of sockets) socket.pause()
    },
    thaw: () => {
      for (const socket of sockets) socket.resume()
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  }
}

/** A node of this name that joins by way of the relay, which is all that it knows of the root at first. */
export async function joinThrough(
  network: TestNetwork,
  name: string,
  { port }: Relay
): Promise<{ member: TrustNode; invite: Invite }> {
  const invite = await network.invite({ role: 'integrated', name })
  const addrs = [`/ip6/::1/tcp/${port}`]
  const member = network.make(name)
  member.invites.use({ ...invite, registries: invite.registries.map((registry) => ({ ...registry, addrs })) })
  await member.start()
  await member.joined({ signal: AbortSignal.timeout(ceilingMs) })
  return { member, invite }
}
