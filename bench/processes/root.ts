import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createLogging } from '../../src/node/logging.ts'
import { TrustNode } from '../../src/node/node.ts'
import type { State } from '../../src/registry/liveness/liveness.ts'
import { admission } from '../harness/members/admission.ts'
import { type EncodedInvite, encodedInvite } from '../harness/members/invites.ts'
import { memberKey, memberRecord } from '../harness/members/members.ts'
import { cpuMsOf, registryOf } from '../harness/metrics.ts'
import { benchConfig, type Flags, rootName } from '../harness/network.ts'
import { serveMethods } from '../harness/serve.ts'

/** The product's root or secondary, as `trustnet registry start` runs it, without the control socket. */
let node: TrustNode | undefined

/** Each admission is two entries of a commit, which has 500 at most. */
const batch = 250
/** Numbers of members that no other benchmark uses. */
let grown = 20_000_000

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
    // A secondary that is new finds its network first.
    await node.until(() => node?.network !== undefined, AbortSignal.timeout(60_000))
    const { port } = node.attached
    return { address: `/ip6/::1/tcp/${port}/p2p/${node.peerId}`, port, networkId: node.registry.networkId }
  },

  /** Address of a root whose log an engine keeps, once it has the lease. */
  async inPlace(): Promise<RootAddress> {
    const started = running()
    await started.until(() => started.network?.registry.root !== undefined, AbortSignal.timeout(60_000))
    const { port } = started.attached
    return { address: `/ip6/::1/tcp/${port}/p2p/${started.peerId}`, port, networkId: started.registry.networkId }
  },

  /** After a start a root with members listens for newer heads first; in a benchmark nobody has any. */
  release(): void {
    running().registry.root?.release()
  },

  async invites(count: number): Promise<EncodedInvite[]> {
    const { registry } = running()
    const issued = await Promise.all(
      Array.from({ length: count }, () => registry.admission.invite({ role: 'integrated' }))
    )
    return issued.map(encodedInvite)
  },

  genesis(): Uint8Array {
    return running().registry.genesis.bytes
  },

  /** New members with their records, as if they had joined by invite. */
  async grow(count: number): Promise<void> {
    const { registry, config } = running()
    for (let done = 0; done < count; done += batch) {
      const numbers = Array.from({ length: Math.min(batch, count - done) }, () => grown++)
      const { networkId } = registry
      const drafts = numbers.flatMap((number) => admission(networkId, number, config.admission.membershipMs))
      await registry.root?.append(drafts, { byOperator: true })
      await Promise.all(numbers.map((number) => registry.records.put(memberRecord(networkId, memberKey(number), 1))))
    }
  },

  /** CPU of one scrape of `/metrics`, ms, of as many one after the other, and the bytes that it gives. */
  async scrape(count: number): Promise<{ cpuMs: number; bytes: number }> {
    const { metrics } = running()
    if (metrics === undefined) throw new Error('the root has no HTTP API')
    let text = ''
    const cpuMs = await cpuMsOf(count, async () => {
      text = await metrics.text()
    })
    return { cpuMs, bytes: Buffer.byteLength(text) }
  },

  /** CPU of writing the same lines, ms, by prom-client alone. */
  async render(count: number): Promise<number> {
    const registry = registryOf((await running().metrics?.text()) ?? '')
    return await cpuMsOf(count, async () => {
      await registry.metrics()
    })
  },

  /** Pings all members as after the loss of one, in so many rounds. */
  async pingMembers(rounds: number): Promise<void> {
    const { network } = running()
    const [any] = network?.trust.members() ?? []
    if (any === undefined) throw new Error('no member is connected')
    for (let round = 0; round < rounds; round++) await network?.pingMonitor?.look(0, any.connection)
  },

  /** Publishes the next version of a document, of random bytes. Gives when it began to (machine clock, ms). */
  async publishDocument(id: string, bytes: number): Promise<number> {
    const content = Uint8Array.from(randomBytes(bytes))
    const from = Number(process.hrtime.bigint()) / 1e6
    await running().registry.documents.publish({ id, mediaType: 'application/octet-stream', bytes: content })
    return from
  },

  members(): number {
    return running().registry.replica.state.memberCount
  },

  /** Members whose lease is held here. */
  sessions(): number {
    return running().libp2p.services.register?.sessions ?? 0
  },

  /** Members by how this registry sees them. */
  states(): Partial<Record<State, number>> {
    const counts: Partial<Record<State, number>> = {}
    for (const { state } of running().registry.liveness.views()) counts[state] = (counts[state] ?? 0) + 1
    return counts
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
