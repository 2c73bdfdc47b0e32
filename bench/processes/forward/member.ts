import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Libp2p } from '@libp2p/interface'
import { createLogging } from '../../../src/node/logging.ts'
import { TrustNode } from '../../../src/node/node.ts'
import { receiveBare, startBareServer, tripsBare } from '../../harness/members/bare-stream.ts'
import { benchConfig, type Flags } from '../../harness/network.ts'
import { serveMethods } from '../../harness/serve.ts'
import { portOf } from '../../harness/tunnels/tunnel.ts'

/** A node of the product that exposes services or listens for those of others, and a bare host beside it. */
let node: TrustNode | undefined
let bare: Libp2p | undefined
const proxies: Server[] = []
const patienceMs = 60_000
const pauseMs = 20

const running = (): TrustNode => {
  if (node === undefined) throw new Error('the node was not started')
  return node
}

const methods = {
  async start(folder: string, name: string, flags: Flags): Promise<void> {
    const config = benchConfig(folder, name, flags)
    const output = createWriteStream(join(folder, `${name}.log`))
    const logging = createLogging({ node: config.name, level: 'warn', format: 'json', output })
    node = new TrustNode({ config, logging, control: false })
    await node.start()
    await node.joined({ signal: AbortSignal.timeout(patienceMs) })
  },

  expose(name: string, port: number): void {
    running().forwards.expose(name, `[::1]:${port}`)
  },

  /** Gives the port at which a service of that member is reached. */
  async listen(peer: string, service: string): Promise<number> {
    const signal = AbortSignal.timeout(patienceMs)
    while (running().registry.replica.state.memberByName(peer) === undefined)
      await pause(pauseMs, undefined, { signal })
    const { address } = await running().forwards.listen({ peer, service })
    return Number(/\d+$/.exec(address)?.[0])
  },

  async startBare(): Promise<string> {
    const { host, address } = await startBareServer()
    bare = host
    return address
  },

  /** Takes connections for a port, and sends on what comes, in plain TCP. Gives its own one. */
  async proxy(port: number): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => {
      const other = connect({ host: '::1', port, noDelay: true })
      socket.pipe(other).pipe(socket)
      socket.on('error', () => other.destroy())
      other.on('error', () => socket.destroy())
    }).listen(0, '::1')
    proxies.push(server)
    await once(server, 'listening')
    return portOf(server)
  },

  receive: receiveBare,
  trips: tripsBare
}

export type MemberMethods = typeof methods

serveMethods(methods, async () => {
  for (const proxy of proxies) proxy.close()
  await bare?.stop()
  await node?.stop('the benchmark is over')
})
