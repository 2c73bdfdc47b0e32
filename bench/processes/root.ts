import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createLogging } from '../../src/node/logging.ts'
import { TrustNode } from '../../src/node/node.ts'
import { type EncodedInvite, encodedInvite } from '../harness/invites.ts'
import { benchConfig, type Flags, rootName } from '../harness/network.ts'
import { serveMethods } from '../harness/serve.ts'

/** The product's root, as `trustnet registry start` runs it, without the control socket. */
let node: TrustNode | undefined

const running = (): TrustNode => {
  if (node === undefined) throw new Error('the root was not started')
  return node
}

export interface RootAddress {
  /** With the PeerId at its end. */
  address: string
  port: number
  networkId: Uint8Array
}

const methods = {
  async start(folder: string, flags: Flags): Promise<RootAddress> {
    const config = benchConfig(folder, rootName, { role: 'root', ...flags })
    const output = createWriteStream(join(folder, 'root.log'))
    const logging = createLogging({ node: config.name, level: 'info', format: 'json', output })
    node = new TrustNode({ config, logging, control: false })
    await node.start()
    const { port } = node.attached
    return { address: `/ip6/::1/tcp/${port}/p2p/${node.peerId}`, port, networkId: node.registry.networkId }
  },

  /** After a start a root with members listens for newer heads first; in a benchmark nobody has any. */
  release(): void {
    running().registry.root?.release()
  },

  async invites(count: number): Promise<EncodedInvite[]> {
    const { admission } = running().registry
    const issued = await Promise.all(Array.from({ length: count }, () => admission.invite({ role: 'integrated' })))
    return issued.map(encodedInvite)
  },

  members(): number {
    return running().registry.replica.state.memberCount
  },

  /** Members whose lease is held here. */
  sessions(): number {
    return running().libp2p.services.register?.sessions ?? 0
  },

  subscribers(): number {
    return running().libp2p.services.sync?.subscribers ?? 0
  },

  cpuMs(): number {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
}

export type RootMethods = typeof methods

serveMethods(methods, async () => await node?.stop('the benchmark is over'))
