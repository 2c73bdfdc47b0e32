import type { Connection } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import { keyId } from '../identity/key-id.ts'
import type { Registered } from '../protocols/register/index.ts'
import type { LogPosition } from '../registry/log/state/position.ts'
import type { Checkpoint } from '../registry/objects/checkpoint.ts'
import type { Signed } from '../registry/objects/envelope.ts'
import type { NodeRecord } from '../registry/objects/record.ts'
import { inBackground } from '../runtime/background.ts'
import { momentOf } from '../runtime/clock-and-logger.ts'
import type { Follower } from './follow-registry.ts'
import type { NetworkParts } from './network-parts.ts'
import type { NodeParts } from './node-parts.ts'
import { tellLie } from './replication/source-alarms.ts'
import type { ReplicaOwner } from './replication/types.ts'
import { isOfThisRun, raiseDuplicate, raiseReused } from './self/key-alarms.ts'
import { askAboutMembersOf } from './session/on-lost.ts'
import { takeIn } from './session/on-registered.ts'
import { candidatesIn } from './session/told-registries.ts'
import type { LeaseOwner, RegistryPeer, SessionView } from './session/types.ts'

/** Reactions of a node to what happens to its lease, its replica, its records or its connections. */
export class Reactions implements Follower, LeaseOwner, ReplicaOwner {
  readonly #node: NodeParts
  readonly #network: NetworkParts
  /** A moment. */
  readonly #started: number
  /** All that one source had was applied at least once since the start. */
  isCaughtUp = false
  /** The reason why there is no session now. */
  trouble: Error | undefined

  constructor(node: NodeParts, network: NetworkParts) {
    this.#node = node
    this.#network = network
    this.#started = momentOf(node.clock)
  }

  // The lease.

  presence(): ReturnType<LeaseOwner['presence']> {
    const { registry, trust, limits } = this.#network
    const keys = new Map([...trust.members()].map(({ member }) => [keyId(member.publicKey), member.publicKey]))
    const connected = [...keys.values()].slice(0, limits.register.connected)
    const { checkpoint } = registry.replica
    const own = registry.cosignatures.by(this.#node.key.publicKey)
    const isOfIt = own !== undefined && own.checkpoint.bytes === checkpoint?.bytes
    return { checkpoint: checkpoint?.bytes, cosignatures: isOfIt ? [...own.cosignatures] : [], connected }
  }

  async registered(view: SessionView, answer: Registered): Promise<void> {
    const { self, sync, peers } = this.#network
    if (answer.record !== undefined) self.record.learn(answer.record)
    const stored = takeIn(this.#node, this.#network, view, answer)
    sync?.reconcile()
    await stored
    await self.ensure()
    peers?.look()
    this.#node.changed()
  }

  lost(view: SessionView, reason: string): void {
    const { registry, forwarder, pingMonitor, sync } = this.#network
    forwarder.close()
    askAboutMembersOf(view, reason, { registry, logger: this.#node.logging.logger, pingMonitor, sync })
    this.#node.changed()
  }

  toldRegistries(records: readonly Uint8Array[]): void {
    this.#node.resolvers.known.told(candidatesIn(records, this.#network.registry.networkId))
  }

  duplicate(reason: string): void {
    raiseDuplicate(this.#network.registry.alarms, reason)
  }

  troubled(error: Error | undefined): void {
    this.trouble = error
    this.#node.services.part('lease').report(error)
    this.#node.changed()
  }

  shown(checkpoint: Uint8Array, by: RegistryPeer, cosignatures: readonly Uint8Array[]): void {
    this.#network.heads.look(checkpoint, by.publicKey, cosignatures)
  }

  // The replica.

  isServed(): boolean {
    const { session, registry } = this.#network
    // Whoever knows of no revoke of this node may know of a new epoch that made it void.
    return this.isMember() || session !== undefined || registry.replica.state.isRevoked(this.#node.key.publicKey)
  }

  leaseHolder(): Uint8Array | undefined {
    return this.#network.session?.peer.publicKey
  }

  sourceFailed(source: Uint8Array, error: unknown): void {
    this.#node.services.part('sync').failed(error)
    tellLie(this.#network.registry, source, error)
  }

  sourceShowed(source: Uint8Array, position: LogPosition): void {
    this.#network.heads.positions.note(source, position)
  }

  caughtUp(): void {
    this.isCaughtUp = true
    this.#node.services.part('sync').ok()
    this.#node.changed()
  }

  unanswered(connection: Connection): void {
    inBackground(this.#network.pingMonitor?.doubt(connection), 'pinging who does not answer')
  }

  // Log, records and connections.

  isMember(): boolean {
    return this.#network.isMember()
  }

  async publishSelf(): Promise<void> {
    await this.#network.self.ensure()
  }

  onNewPeers(): void {
    this.#network.peers?.look()
  }

  /** A record of this node that it did not sign in this run is of another process with its key, or of its own past. */
  onRecord(record: Signed<NodeRecord>): void {
    const { self, registry, matrixProber } = this.#network
    matrixProber?.look(record.value.publicKey)
    if (!equals(record.value.publicKey, this.#node.key.publicKey) || !self.heard(record)) return
    if (isOfThisRun(record.value.issuedMs, this.#node.clock, this.#started))
      raiseDuplicate(registry.alarms, 'a record of this node came that it did not sign')
    else raiseReused(registry.alarms)
    inBackground(self.contest(), 'contesting a foreign record')
  }

  onHolderConnected({ direction }: Connection): void {
    this.#network.lease?.kick({ isNews: direction === 'inbound' })
  }

  onRegistryConnected(): void {
    this.#network.lease?.kickBetter()
  }

  onHead(checkpoint: Checkpoint): void {
    this.#network.sync?.advanced(checkpoint)
  }

  onChange(): void {
    this.#node.changed()
  }
}
