import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { peerIdText } from '../../../src/identity/keys.ts'
import { dataFiles } from '../../../src/node/config/paths.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { type Flags, TestNetwork } from '../network.ts'
import { type NodeProcess, spawnNode } from './node-process.ts'

const member = { role: 'integrated', 'root.store': undefined }

/** Processes of which one is the root of a network whose log an engine keeps, and a member that watches them. */
export class RootCandidates implements AsyncDisposable {
  readonly network: TestNetwork
  readonly watcher: TrustNode
  readonly #flags: ReadonlyMap<string, Flags>
  readonly #processes = new Map<string, NodeProcess>()
  readonly #admitted: string[] = []
  #joins = 0

  private constructor(network: TestNetwork, watcher: TrustNode, flags: ReadonlyMap<string, Flags>) {
    this.network = network
    this.#flags = flags
    this.watcher = watcher
  }

  /** A network whose root has left its place to candidates of these names, each with flags of its own. */
  static async start(store: string, flags: ReadonlyMap<string, Flags>): Promise<RootCandidates> {
    const network = await TestNetwork.create({ 'root.store': store })
    try {
      const root = network.node('root')
      await root.until(() => root.network?.registry.root !== undefined)
      const candidates = new RootCandidates(network, await network.join('watcher', member), flags)
      for (const name of flags.keys()) await candidates.#join(name)
      await root.stop()
      return candidates
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
  }

  async #join(name: string): Promise<void> {
    const logKey = (of: string): string => dataFiles(join(this.network.folder, 'data', of)).logKey
    await this.spawn(name, { 'bootstrap.inviteFile': await this.network.inviteFile({ role: 'secondary' }) })
    copyFileSync(logKey('root'), logKey(name))
  }

  async spawn(name: string, flags: Flags = {}): Promise<void> {
    this.#processes.set(
      name,
      await spawnNode(this.network, name, { role: 'secondary', ...this.#flags.get(name), ...flags })
    )
  }

  at(name: string): NodeProcess {
    const found = this.#processes.get(name)
    if (found === undefined) throw new Error(`no process ${name}`)
    return found
  }

  /** The one of two that is not this. */
  other(name: string): string {
    const [other] = [...this.#flags.keys()].filter((each) => each !== name)
    if (other === undefined) throw new Error('there is one candidate alone')
    return other
  }

  /** Waits until the log names a candidate as the root. Gives its name. */
  async root(): Promise<string> {
    await expect.poll(() => this.#flags.has(this.rootName() ?? '')).toBe(true)
    return this.rootName() ?? ''
  }

  /** It is the root: another one that is gives its place to it. */
  async makeRoot(name: string): Promise<void> {
    const before = await this.root()
    if (before === name) return
    await this.at(before).kill()
    await expect.poll(() => this.rootName()).toBe(name)
    await this.spawn(before)
  }

  /** Waits until one that was the root has seen that it is not any more, since it was the last time. */
  async isSecondary(name: string): Promise<void> {
    const lastOf = (words: string): number => this.at(name).log().lastIndexOf(`${words} the lease of the log`)
    await expect.poll(() => lastOf('another process holds') > lastOf('this process holds')).toBe(true)
  }

  /** Whoever the log names as the root has the lease, there is one history, and all who were let in are in it. */
  async isWhole(holder: () => Promise<unknown>): Promise<void> {
    await expect.poll(async () => this.roots().join() === (await holder())).toBe(true)
    await expect.poll(() => this.lost()).toEqual([])
    expect(this.watcher.registry.replica.isForked).toBe(false)
  }

  /** Name of the root, as a member's log has it. */
  rootName(): string | undefined {
    const { state } = this.watcher.registry.replica
    const root = state.rootRegistry()
    return root === undefined ? undefined : state.member(root.publicKey)?.name
  }

  /** PeerIds of the registries that the log has as root. */
  roots(): string[] {
    const registries = this.watcher.registry.replica.state.registries().filter(({ role }) => role === 'root')
    return registries.map(({ publicKey }) => peerIdText(publicKey))
  }

  /** Somebody joins, which only the root of the moment can let in. */
  async admit(through: string): Promise<void> {
    const name = `m${this.#joins++}`
    const peers = [`/ip6/::1/tcp/${this.at(through).port}/p2p/${this.at(through).peerId}`]
    const node = this.network.make(name, { ...member, 'bootstrap.peers': peers })
    await node.start()
    await node.joined()
    await node.stop()
    this.#admitted.push(name)
  }

  /** Names of those that were let in and that the watcher does not know. */
  lost(): string[] {
    return this.#admitted.filter((name) => this.watcher.registry.replica.state.memberByName(name) === undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.#processes.values()) await each.kill()
    await this.network[Symbol.asyncDispose]()
  }
}
