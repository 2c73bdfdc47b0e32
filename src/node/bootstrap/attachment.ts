import { randomBytes } from 'node:crypto'
import type { SigningKey } from '../../identity/keys.ts'
import { openStoredGenesis } from '../../registry/log/stored-genesis.ts'
import type { Registry } from '../../registry/registry.ts'
import type { AppProtocols } from '../app-protocols.ts'
import { ClockWatch } from '../clock-watch.ts'
import { savePort } from '../host/saved-port.ts'
import { Housekeeping } from '../housekeeping.ts'
import { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { openNodeRegistry } from '../root/open-registry.ts'
import { RootController } from '../root/root-controller.ts'
import { hasJoined } from '../session/invited-history.ts'
import type { StopSteps } from '../stop-steps.ts'
import { requireSameNetwork } from './pin-checks.ts'

/** The parts of the process that last longer than its host. */
export type AttachmentContext = Pick<
  NodeContext,
  | 'config'
  | 'configFile'
  | 'key'
  | 'software'
  | 'candidates'
  | 'invites'
  | 'clock'
  | 'logging'
  | 'services'
  | 'rotation'
  | 'metrics'
> & { changed: () => void; useKey: (key: SigningKey) => Promise<void> }

export interface AttachmentInit {
  registry: Registry
  portWaitMs: number | undefined
  protocols: AppProtocols
  /** This process was the root, and appended, a moment ago. */
  goesOn: boolean
}

/** Opens the store of a node for this genesis. @throws ConfigError for another network, and as openNodeRegistry */
export async function registryOf(
  node: AttachmentContext & Pick<NodeContext, 'pin'>,
  genesis: Uint8Array
): Promise<Registry> {
  const { config, key, clock, services, pin } = node
  const { logger } = node.logging
  requireSameNetwork(config, pin, openStoredGenesis(genesis).hash)
  const registry = await openNodeRegistry({ config, key, genesis, clock, logger, services })
  if (hasJoined(registry, key.publicKey)) node.invites.drop(logger)
  return registry
}

/** A node in its network, from the start of its host to its end: with the duties of a root, and chores. */
export class Attachment {
  readonly network: NetworkNode
  readonly duties: RootController
  readonly housekeeping: Housekeeping
  readonly #clockWatch: ClockWatch
  readonly #node: AttachmentContext
  readonly #protocols: AppProtocols

  constructor(node: AttachmentContext, { registry, portWaitMs, protocols, goesOn }: AttachmentInit) {
    const { config, key, software, candidates, clock, services, rotation } = node
    const { logger, libp2p } = node.logging
    this.#node = node
    this.#protocols = protocols
    const isTrial = rotation.isTrial
    this.network = new NetworkNode({
      config,
      key,
      software,
      registry,
      candidates,
      invite: () => node.invites.invite,
      mayJoin: () => !isTrial,
      clock,
      logger,
      library: { logger: libp2p, metrics: node.metrics?.forHost() },
      instance: Uint8Array.from(randomBytes(16)),
      portWaitMs,
      services,
      onChange: () => node.changed()
    })
    this.duties = new RootController({ network: this.network, config, key, logger, goesOn })
    this.housekeeping = new Housekeeping({ registry, config, clock, logger })
    this.#clockWatch = new ClockWatch({ registry, clock, logger })
  }

  async start(signal: AbortSignal): Promise<void> {
    const { config, configFile, services } = this.#node
    const { logger } = this.#node.logging
    const { network } = this
    signal.throwIfAborted()
    await network.start(signal)
    savePort({ configFile, data: config.paths.data, wanted: config.listen.port, port: network.port }, logger)
    await this.#protocols.open(network)
    signal.throwIfAborted()
    this.duties.start(services)
    this.housekeeping.start(services)
    this.#clockWatch.start(services)
  }

  /** Says goodbye, and closes the store in the end. */
  async stop(reason: string, left: boolean, steps: StopSteps): Promise<void> {
    this.duties.stop()
    try {
      await steps.wait('its connections', this.network.stop(reason, left))
      const chores = [this.housekeeping.stop(), this.#clockWatch.stop(), this.#node.services.stop()]
      await steps.wait('a backup or another chore', Promise.all(chores))
    } finally {
      await steps.wait('the database', this.network.registry[Symbol.asyncDispose]())
    }
  }

  /** Follows what the log, and before it a registry, says of a rotation. */
  followRotation(): void {
    const { rotation, clock } = this.#node
    if (rotation.next === undefined) return
    const { state } = this.network.registry.replica
    if (rotation.isTrial && rotation.settle(state)) {
      this.housekeeping.rememberKeys()
      return
    }
    const other = rotation.instead({ state, refusal: this.network.trouble, nowMs: clock.monotonic() })
    // A failure ends the process, unless that stops anyway.
    if (other !== undefined) this.#node.useKey(other).catch(() => {})
  }
}
