import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { SigningKey } from '../../src/identity/keys.ts'
import { createLogging } from '../../src/node/logging.ts'
import { TrustNode } from '../../src/node/node.ts'
import { makeJoin } from '../../src/registry/objects/join.ts'
import { inviteFile } from '../harness/members/invite-file.ts'
import { benchConfig, rootName } from '../harness/network.ts'
import { serveMethods } from '../harness/serve.ts'
import { quantile } from '../harness/spread.ts'
import type { RootAddress } from './root.ts'

/** A root whose heads are signed by witnesses in other processes. */
let node: TrustNode | undefined
let joined = 0

const running = (): TrustNode => {
  if (node === undefined) throw new Error('the root was not started')
  return node
}
const patience = (): AbortSignal => AbortSignal.timeout(60_000)
/** Between one head and the next. */
const pauseMs = 100

/** Requests of new members, each with an invite of its own. */
async function wishes(count: number): Promise<Uint8Array[]> {
  const { admission, networkId } = running().registry
  const made: Uint8Array[] = []
  for (let index = 0; index < count; index++) {
    const { grant, inviteKey } = await admission.invite({ role: 'integrated' })
    const key = SigningKey.generate()
    const common = { networkId, key, name: `m${joined++}`, role: 'integrated' as const, timeMs: Date.now() }
    made.push(makeJoin({ ...common, grant, inviteKey }))
  }
  return made
}

const isFinal = (n: number): boolean => running().registry.finality.place.n >= n

/** Resolves when that entry is final: asked at each word of a witness. */
async function untilFinal(n: number): Promise<void> {
  const { events } = running().registry.cosignatures
  while (!isFinal(n)) await new Promise((resolve) => events.addEventListener('word', resolve, { once: true }))
}

const methods = {
  async start(folder: string): Promise<RootAddress> {
    const config = benchConfig(folder, rootName, { role: 'root' })
    const output = createWriteStream(join(folder, 'root.log'))
    const logging = createLogging({ node: config.name, level: 'info', format: 'json', output })
    node = new TrustNode({ config, logging, control: false })
    await node.start()
    node.registry.root?.release()
    const { port } = node.attached
    return { address: `/ip6/::1/tcp/${port}/p2p/${node.peerId}`, port, networkId: node.registry.networkId }
  },

  async inviteFile(folder: string, name: string): Promise<string> {
    return await inviteFile(running(), folder, name, 'secondary')
  },

  /** Resolves when so many secondaries are in the set of registries. */
  async entered(count: number): Promise<void> {
    await running().until(() => running().registry.replica.state.registries().length > count, patience())
  },

  async need(witnesses: number): Promise<void> {
    const { admission, replica } = running().registry
    await admission.changePolicy({ witnesses })
    await untilFinal(replica.head.n)
  },

  /** Times from the signature of a head until it is final, ms. */
  async witnessed(heads: number): Promise<{ p50: number; p99: number; max: number }> {
    const { admission, replica } = running().registry
    const all: number[] = []
    for (const wish of await wishes(heads)) {
      await admission.join({ join: wish })
      const from = performance.now()
      await untilFinal(replica.head.n)
      all.push(performance.now() - from)
      await pause(pauseMs)
    }
    return { p50: quantile(all, 0.5), p99: quantile(all, 0.99), max: Math.max(...all) }
  },

  /** Admissions a second, so many of them at once. */
  async admit(count: number, inFlight: number): Promise<number> {
    const { admission } = running().registry
    const waiting = await wishes(count)
    const from = performance.now()
    const one = async (): Promise<void> => {
      for (let wish = waiting.pop(); wish !== undefined; wish = waiting.pop()) await admission.join({ join: wish })
    }
    await Promise.all(Array.from({ length: inFlight }, one))
    return count / ((performance.now() - from) / 1_000)
  }
}

export type WitnessingMethods = typeof methods

serveMethods(methods, async () => await node?.stop('the benchmark is over'))
