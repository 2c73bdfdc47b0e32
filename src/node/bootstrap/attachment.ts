import { openStoredGenesis } from '../../registry/log/stored-genesis.ts'
import type { Registry } from '../../registry/registry.ts'
import type { ClockWatch } from '../clock-watch.ts'
import { choresOf } from '../components.ts'
import { savePort } from '../host/saved-port.ts'
import type { Housekeeping } from '../housekeeping.ts'
import { NetworkNode } from '../network-node.ts'
import type { NodeParts } from '../node-parts.ts'
import { openNodeRegistry } from '../root/open-registry.ts'
import type { RootController } from '../root/root-controller.ts'
import { hasJoined } from '../session/invited-history.ts'
import type { StopSteps } from '../stop-steps.ts'
import { requireSameNetwork } from './pin-checks.ts'

export interface AttachmentInit {
  registry: Registry
  /** This process appended, or heard what others hold, a moment ago. */
  goesOn: boolean
}

/** Opens the store of a node for this genesis. @throws ConfigError for another network, and as openNodeRegistry */
export async function registryOf(node: NodeParts, genesis: Uint8Array): Promise<Registry> {
  const { config, key, clock, services, pin, seat } = node
  const { logger } = node.logging
  requireSameNetwork(config, pin, openStoredGenesis(genesis).hash)
  const registry = await openNodeRegistry({ config, key, genesis, clock, logger, services, seat })
  if (hasJoined(registry, key.publicKey)) node.invites.drop(logger)
  return registry
}

/** A node in its network, from the start of its host to its end: with the duties of a root, and chores. */
export class Attachment {
  readonly network: NetworkNode
  readonly duties: RootController
  readonly housekeeping: Housekeeping
  readonly #clockWatch: ClockWatch
  readonly #node: NodeParts

  constructor(node: NodeParts, { registry, goesOn }: AttachmentInit) {
    this.#node = node
    this.network = new NetworkNode(node, registry)
    const { duties, housekeeping, clockWatch } = choresOf(node, this.network, goesOn)
    this.duties = duties
    this.housekeeping = housekeeping
    this.#clockWatch = clockWatch
  }

  async start(signal: AbortSignal): Promise<void> {
    const { config, configFile, services, program } = this.#node
    const { logger } = this.#node.logging
    const { network } = this
    signal.throwIfAborted()
    await network.start(signal)
    savePort({ configFile, data: config.paths.data, wanted: config.listen.port, port: network.port }, logger)
    await program.protocols.open(network)
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
