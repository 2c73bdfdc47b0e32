import { createWriteStream, readdirSync, statSync, type WriteStream } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { networkIdText } from '../../src/identity/network-id.ts'
import type { Role } from '../../src/identity/role.ts'
import { dataFiles } from '../../src/node/config/paths.ts'
import { createLogging } from '../../src/node/logging.ts'
import { TrustNode } from '../../src/node/node.ts'
import { decodeInvite, encodeInvite } from '../../src/registry/objects/invite.ts'
import { boundYoungGeneration } from '../../src/runtime/young-generation.ts'
import { benchConfig, type Flags } from '../harness/network.ts'
import { serveMethods } from '../harness/serve.ts'

/** Nodes of the product in one process, which come and go. */
const nodes = new Map<string, TrustNode>()
const logs = new Map<string, WriteStream>()
const delay = monitorEventLoopDelay({ resolution: 10 })
delay.enable()

/** The longest turn of the event loop in time of the processor: what a busy machine takes away is not among it. */
const turns = { longestMs: 0, wallMs: performance.now(), cpu: process.threadCpuUsage() }
setInterval(() => {
  const { user, system } = process.threadCpuUsage(turns.cpu)
  const wallMs = performance.now()
  turns.longestMs = Math.max(turns.longestMs, Math.min((user + system) / 1e3, wallMs - turns.wallMs))
  Object.assign(turns, { wallMs, cpu: process.threadCpuUsage() })
}, 10).unref()

/** What one process has of what can run out. */
export interface Sample {
  rssBytes: number
  /** JavaScript's, and what it holds outside of its heap, after a garbage collection. */
  heldBytes: number
  /** Timers, sockets and requests of the event loop. */
  handles: number
  descriptors: number
  storeBytes: number
  walBytes: number
  loopP99Ms: number
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0
const stores = (): string[] => [...nodes.values()].map(({ config }) => dataFiles(config.paths.data).store)
const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)

const running = (name: string): TrustNode => {
  const node = nodes.get(name)
  if (node === undefined) throw new Error(`${name} was not started`)
  return node
}

const methods = {
  /** With the line of an invite where the network asks for one. */
  async start(folder: string, name: string, flags: Flags, invite?: string): Promise<void> {
    const config = benchConfig(folder, name, flags)
    const output = createWriteStream(join(folder, `${name}.log`), { flags: 'a' })
    const node = new TrustNode({
      config,
      logging: createLogging({ node: name, level: 'warn', format: 'json', output }),
      control: false
    })
    nodes.set(name, node)
    logs.set(name, output)
    if (invite !== undefined) node.invites.use(decodeInvite(invite))
    await node.start()
    boundYoungGeneration()
  },

  /** Address of a node that has joined, with the PeerId at its end. */
  address(name: string): string {
    const { attached, peerId } = running(name)
    return `${attached.announced[0] ?? ''}/p2p/${peerId}`
  },

  networkId(name: string): string {
    return networkIdText(running(name).registry.networkId)
  },

  /** After a start a root with members listens for newer heads first; here nobody has any. */
  release(name: string): void {
    running(name).registry.root?.release()
  },

  /** Resolves when it is a member with a session. */
  async joined(name: string): Promise<void> {
    await running(name).joined({ signal: AbortSignal.timeout(60_000) })
  },

  async stop(name: string): Promise<void> {
    await nodes.get(name)?.stop('it comes back')
    nodes.delete(name)
    logs.get(name)?.end()
  },

  /** Invite of the root of that name: a line for one machine, good for as long as a start takes. */
  async invite(name: string, role: Role): Promise<string> {
    const { registry, config, key, attached } = running(name)
    const { grant, inviteKey } = await registry.admission.invite({ role, ttlMs: 10_000 })
    const registries = [{ publicKey: key.publicKey, addrs: [...attached.announced] }]
    return encodeInvite({ domain: config.domain ?? '', networkId: registry.networkId, registries, grant, inviteKey })
  },

  /** How long the event loop was held since the last time that somebody asked. */
  loop(): { p99Ms: number; maxMs: number; turnMs: number } {
    const held = { p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6, turnMs: turns.longestMs }
    delay.reset()
    turns.longestMs = 0
    return held
  },

  /** Culprits that exceeded a limit so far: the name of each and how often, by limit and culprit. */
  culprits(name: string): { limit: string; who: string; count: number }[] {
    const { counts } = running(name).attached.trust.culprits
    return counts.flatMap(({ limit, culprits }) => culprits.map(({ who, count }) => ({ limit, who, count })))
  },

  sample(): Sample {
    globalThis.gc?.()
    const { rss, heapUsed, external } = process.memoryUsage()
    const loopP99Ms = delay.percentile(99) / 1e6
    delay.reset()
    return {
      rssBytes: rss,
      heldBytes: heapUsed + external,
      handles: process.getActiveResourcesInfo().length,
      descriptors: readdirSync('/proc/self/fd').length,
      storeBytes: sum(stores().map(sizeOf)),
      walBytes: sum(stores().map((path) => sizeOf(`${path}-wal`))),
      loopP99Ms
    }
  }
}

export type SoakingMethods = typeof methods

serveMethods(methods, async () => {
  await Promise.all([...nodes.values()].map((node) => node.stop('the soak is over')))
})
