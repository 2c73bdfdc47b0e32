import { equals } from 'uint8arrays/equals'
import { peerIdText } from '../../identity/keys.ts'
import { isRegistryRole } from '../../identity/role.ts'
import { MarkFile } from '../../registry/witness/mark-file.ts'
import { type Outcome, Witness } from '../../registry/witness/witness.ts'
import { sleep } from '../../runtime/sleep.ts'
import type { Running, Supervisor } from '../../runtime/supervisor.ts'
import { dataFiles } from '../config/paths.ts'
import type { Host } from '../host/host-services.ts'
import type { NetworkParts } from '../network-parts.ts'
import type { NodeParts } from '../node-parts.ts'
import { watchFinality } from './watch-finality.ts'

export interface WitnessServiceInit {
  node: Pick<NodeParts, 'config' | 'key' | 'clock' | 'logging'>
  network: NetworkParts
  host: Host
}

/** Checkpoints that come closer than this are signed as one: the newest covers the others. Each costs the disk two writes. */
const coalesceMs = 50
/** The same where the policy needs no witnesses, and nobody waits for them. */
const unneededMs = 1_000
const lookMs = 500
/** Time until the same is said again: an alarm is written to the store each time. */
const repeatMs = 60_000
/** An old copy of this machine's disk shows only by what others hold: after a start all registries are heard, those that can be. */
const listenMs = 30_000

const unknownPast =
  'this witness cannot tell what it has signed before (witness.json is missing, or its log begins behind that place): it signs nothing until it has heard the heads of all other registries; one that is gone for good is to be revoked'

/** Signs checkpoints where this node is a witness of its network, and tells when too few witnesses do. */
export class WitnessService {
  readonly #init: WitnessServiceInit
  readonly #witness: Witness
  readonly #startedAt: number
  #running: Running | undefined
  #watching: Running | undefined
  #saidAt = Number.NEGATIVE_INFINITY

  constructor(init: WitnessServiceInit) {
    const { network } = init
    const { key, clock, config } = init.node
    const { registry } = network
    this.#init = init
    this.#startedAt = clock.monotonic()
    this.#witness = new Witness({
      replica: registry.replica,
      key,
      cosignatures: registry.cosignatures,
      mark: new MarkFile(dataFiles(config.paths.data).witness),
      meta: registry.meta,
      isRestored: () => registry.restored !== undefined,
      clock
    })
  }

  start(services: Supervisor): void {
    const { registry } = this.#init.network
    this.#running = services.run('witness', {
      everyMs: lookMs,
      firstMs: 0,
      round: (signal) => this.#round(signal)
    })
    registry.replica.events.addEventListener('checkpoint', this.#wake)
    this.#watching = watchFinality(services, registry, this.#init.node.clock)
  }

  async stop(): Promise<void> {
    this.#init.network.registry.replica.events.removeEventListener('checkpoint', this.#wake)
    await Promise.all([this.#running?.stop(), this.#watching?.stop()])
  }

  readonly #wake = (): void => {
    if (this.#isWitness()) this.#running?.wake()
  }

  /** The one who writes the log signs only where the last final place asks it: as a witness that has become the root. */
  #isWitness(): boolean {
    const { root, cosignatures } = this.#init.network.registry
    const { publicKey } = this.#init.node.key
    return root === undefined ? cosignatures.isEntitled(publicKey) : cosignatures.isAsked(publicKey)
  }

  async #round(signal: AbortSignal): Promise<void> {
    if (!this.#isWitness() || !this.#mayBegin()) return
    const outcome = await this.#witness.sign(this.#heardAll())
    if (outcome.kind === 'signed') await this.#tell(outcome, signal)
    else this.#say(outcome)
  }

  #say(outcome: Outcome): void {
    const { clock, logging } = this.#init.node
    if (outcome.kind === 'idle' || clock.monotonic() - this.#saidAt < repeatMs) return
    this.#saidAt = clock.monotonic()
    if (outcome.kind === 'other-history') this.#raise(outcome)
    else if (outcome.kind === 'unknown-past') logging.logger.warn({}, unknownPast)
  }

  /** Registries follow each other and are told at once; what another member signs goes by gossip. */
  async #tell({ checkpoint, cosignature }: Outcome & { kind: 'signed' }, signal: AbortSignal): Promise<void> {
    const { host, network } = this.#init
    if (!isRegistryRole(network.registry.role))
      host.services.announce?.announceCosignature(checkpoint.hash, cosignature)
    const { policy } = network.registry.replica.state
    await sleep(policy.witnesses > 0 ? coalesceMs : unneededMs, signal).catch(() => {})
  }

  #raise({ mark }: Outcome & { kind: 'other-history' }): void {
    const { epoch, n } = mark
    const { alarms } = this.#init.network.registry
    alarms.raise(
      'witness_refuses',
      `this node has signed another history at entry ${n} of epoch ${epoch} than the one that it holds now: it signs nothing more; its data was put back from another place, or somebody else has the log key; compare with \`trustnet registry diff\``,
      { epoch, n }
    )
  }

  /** Others hold what this node has signed, also what its own disk has lost. */
  #mayBegin(): boolean {
    const { network, node } = this.#init
    if (!network.caughtUp) return false
    return this.#heardAll() || node.clock.monotonic() - this.#startedAt >= listenMs
  }

  #heardAll(): boolean {
    const { network, node } = this.#init
    const others = network.registry.replica.state
      .registries()
      .filter(({ publicKey }) => !equals(publicKey, node.key.publicKey))
    return others.every(({ publicKey }) => network.heads.heard.has(peerIdText(publicKey)))
  }
}
