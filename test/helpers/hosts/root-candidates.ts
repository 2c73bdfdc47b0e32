import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
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
    const name = `m${this.#admitted.length}`
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
