import type { Libp2p } from '@libp2p/interface'
import type { SigningKey } from '../../../src/identity/keys.ts'
import { yamuxInit } from '../../../src/node/host/libp2p.ts'
import { type LimitOverrides, limitsWith, type ProtocolLimits } from '../../../src/protocols/engine/limits.ts'
import { remoteKeyOf } from '../../../src/protocols/engine/protocol.ts'
import { ConnectionTrust } from '../../../src/protocols/engine/trust/connection-trust.ts'
import { type SyncServer, syncServer } from '../../../src/protocols/sync/index.ts'
import { openRegistry, type Registry, type RegistryInit } from '../../../src/registry/registry.ts'
import { startHost } from '../hosts.ts'
import { keyNumber, LogNetwork } from '../log-network.ts'

/** What a root takes in one batch. */
const admitsAtOnce = 500

export interface RegistryHost extends AsyncDisposable {
  readonly registry: Registry
  readonly host: Libp2p<{ sync: SyncServer }>
  readonly trust: ConnectionTrust
  readonly limits: ProtocolLimits
  readonly key: SigningKey
}

/** Real registries of one network, each with its store, its host and sync; who is a member they say themselves. */
export class RegistryNetwork implements AsyncDisposable {
  readonly log = new LogNetwork()
  readonly #hosts: RegistryHost[] = []

  /** The root, with members 1 to `members` admitted. */
  async startRoot(members = 0, limits: LimitOverrides = {}): Promise<RegistryHost> {
    const { path } = await this.log.create()
    const { rootKey, logKey } = this.log
    const root = await this.start({ path, role: 'root', nodeKey: rootKey, root: { logKey } }, limits)
    await this.admit(root, 1, members)
    return root
  }

  /** A replica that knows the genesis alone. */
  startFollower(
    of: RegistryHost,
    key: SigningKey,
    limits: LimitOverrides = {},
    role: 'integrated' | 'secondary' = 'integrated'
  ) {
    const init = { path: this.log.newPath(), role, nodeKey: key, genesis: of.registry.genesis.bytes }
    return this.start(init, limits)
  }

  async start(init: RegistryInit, overrides: LimitOverrides = {}): Promise<RegistryHost> {
    const limits = limitsWith(overrides)
    const registry = await openRegistry(init, { clock: this.log.clock })
    const trust = new ConnectionTrust({ limits: limits.strangers, settleMs: 200 })
    const host = await startHost(
      { sync: syncServer({ source: registry, trust, limits }) },
      { privateKey: init.nodeKey.toLibp2p(), muxer: yamuxInit }
    )
    host.addEventListener('connection:open', ({ detail: connection }) => {
      trust.track(connection)
      const publicKey = remoteKeyOf(connection)
      const member = this.#hosts
        .map((each) => each.registry.replica.state.member(publicKey ?? new Uint8Array()))
        .find((each) => each !== undefined)
      if (member === undefined) trust.judgedStranger(connection)
      else trust.prove(connection, { publicKey: member.publicKey, name: member.name, role: member.role })
    })
    const made: RegistryHost = {
      registry,
      host,
      trust,
      limits,
      key: init.nodeKey,
      [Symbol.asyncDispose]: async () => {
        await host.stop()
        trust.clear()
        await registry.close()
      }
    }
    this.#hosts.push(made)
    return made
  }

  async admit({ registry }: RegistryHost, from: number, to: number, role?: 'secondary'): Promise<void> {
    for (let first = from; first <= to; first += admitsAtOnce) {
      const drafts = Array.from({ length: Math.min(admitsAtOnce, to - first + 1) }, (_, index) =>
        this.log.admit(registry.networkId, first + index, role === undefined ? {} : { role })
      )
      await registry.root?.append(drafts)
    }
  }

  async stop(made: RegistryHost): Promise<void> {
    this.#hosts.splice(this.#hosts.indexOf(made), 1)
    await made[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#hosts.splice(0).map((made) => made[Symbol.asyncDispose]()))
  }
}

export { keyNumber }
