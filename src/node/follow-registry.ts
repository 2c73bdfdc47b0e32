import type { Connection } from '@libp2p/interface'
import { peerIdText } from '../identity/keys.ts'
import { isRegistryRole, servesRegistry } from '../identity/role.ts'
import type { ConnectionTrust, TrustedMember } from '../protocols/engine/trust/connection-trust.ts'
import type { Hello } from '../protocols/hello/index.ts'
import type { RegistryEvents } from '../registry/events.ts'
import type { Checkpoint } from '../registry/objects/checkpoint.ts'
import type { Signed } from '../registry/objects/envelope.ts'
import type { NodeRecord } from '../registry/objects/record.ts'
import type { Registry } from '../registry/registry.ts'
import { inBackground } from '../runtime/background.ts'
import type { Logger } from '../runtime/clock-and-logger.ts'
import { sleep } from '../runtime/sleep.ts'
import type { Running, Supervisor } from '../runtime/supervisor.ts'
import type { Host } from './host/host-services.ts'

/** A node whose log, records and connections change. */
export interface Follower {
  isMember(): boolean
  publishSelf(): Promise<void>
  /** Somebody new may be dialled. */
  onNewPeers(): void
  onRecord(record: Signed<NodeRecord>): void
  /** One that can hold the lease of this node. */
  onHolderConnected(connection: Connection): void
  /** A root or secondary. */
  onRegistryConnected(): void
  /** This replica has a newer checkpoint. */
  onHead(checkpoint: Checkpoint): void
  onChange(): void
}

export interface FollowInit {
  registry: Registry
  trust: ConnectionTrust
  host: Host
  logger: Logger
  node: Follower
}

/** Memberships end with entries and with time; a burst of entries is looked at once. */
const recheckMs = 100

/** Within it a member that reads is told of its end; one that does not learns it when it comes again. */
const partingMs = 1_000

/** Carries changes of the log and the records over to the host. Returns how to stop. */
export function followRegistry(init: FollowInit): () => void {
  const following = new Following(init)
  return () => following.stop()
}

class Following {
  readonly #init: FollowInit
  readonly #stops: (() => void)[] = []
  /** PeerIds of those whose membership has ended, while they are told so. */
  readonly #parting = new Set<string>()
  readonly #over = new AbortController()
  #recheck: NodeJS.Timeout | undefined
  #wasMember: boolean

  constructor(init: FollowInit) {
    const { node, registry, trust } = init
    this.#init = init
    this.#wasMember = node.isMember()
    this.#on('ended', ({ detail }) => this.#ended(detail.publicKey))
    this.#on('entries', () => this.#entries())
    this.#on('final', () => this.#final())
    this.#on('checkpoint', ({ detail }) => this.#checkpoint(detail.checkpoint))
    this.#on('record', ({ detail }) => {
      node.onRecord(detail.record)
      node.onNewPeers()
      node.onChange()
    })
    for (const type of ['hint', 'pending', 'queued', 'alarm'] as const) this.#on(type, () => node.onChange())
    this.#stops.push(
      trust.onMember((connection, member) => this.#connected(connection, member)),
      trust.onGone((_, member) => {
        registry.admission.absence.parted(member.publicKey)
        node.onChange()
      })
    )
  }

  stop(): void {
    for (const stop of this.#stops) stop()
    this.#over.abort()
    clearTimeout(this.#recheck)
  }

  #on<K extends keyof RegistryEvents>(type: K, listener: (event: RegistryEvents[K]) => void): void {
    const { events } = this.#init.registry
    events.addEventListener(type, listener)
    this.#stops.push(() => events.removeEventListener(type, listener))
  }

  /** Parting of one that was shut out: it still gets the entry that says so, if it reads, and the answer if it asked for that. */
  #ended(publicKey: Uint8Array): void {
    const peer = peerIdText(publicKey)
    this.#parting.add(peer)
    inBackground(this.#part(peer, publicKey), 'closing the connections of a member that was shut out')
  }

  async #part(peer: string, publicKey: Uint8Array): Promise<void> {
    const { signal } = this.#over
    const told = this.#init.host.services.sync?.tell(peer)
    await Promise.race([told, sleep(partingMs, signal).catch(() => {})])
    await sleep(recheckMs, signal).catch(() => {})
    this.#parting.delete(peer)
    const { registry, trust } = this.#init
    // One that was let in again meanwhile keeps its connections.
    if (!signal.aborted && !registry.replica.isMember(publicKey)) trust.ended(publicKey)
  }

  #entries(): void {
    const { node, logger, trust, host } = this.#init
    this.#recheckSoon()
    const isMember = node.isMember()
    if (!this.#wasMember && isMember) sayHelloAgain({ trust, logger, hello: host.services.hello })
    this.#wasMember = isMember
    node.publishSelf().catch((error: Error) => {
      logger.warn({ error: error.message }, 'the own record was not published; the next change or refresh does it')
    })
    node.onNewPeers()
    node.onChange()
  }

  /** Members may count that did not, this node among them. */
  #final(): void {
    const { node } = this.#init
    if (this.#wasMember !== node.isMember()) this.#entries()
    else {
      this.#recheckSoon()
      node.onChange()
    }
  }

  #checkpoint(checkpoint: Signed<Checkpoint>): void {
    const { node, host } = this.#init
    this.#recheckSoon()
    host.services.announce?.announceHead(checkpoint)
    node.onHead(checkpoint.value)
    node.onChange()
  }

  #connected(connection: Connection, { publicKey, role }: TrustedMember): void {
    const { node, registry } = this.#init
    if (connection.direction === 'inbound') registry.liveness.notes.learned(publicKey, 'session')
    // A root without secondaries holds its lease at a member.
    const canHold = registry.role === 'root' ? servesRegistry(role) : isRegistryRole(role)
    if (canHold) node.onHolderConnected(connection)
    registry.admission.absence.met(publicKey)
    if (isRegistryRole(role)) node.onRegistryConnected()
    node.onChange()
  }

  #recheckSoon(): void {
    const { trust, registry } = this.#init
    const { replica } = registry
    this.#recheck ??= setTimeout(() => {
      this.#recheck = undefined
      trust.recheck(
        (publicKey) => replica.isMember(publicKey) || this.#parting.has(peerIdText(publicKey)),
        (publicKey) => replica.state.member(publicKey)
      )
    }, recheckMs).unref()
  }
}

export interface Greeting {
  trust: ConnectionTrust
  hello: Pick<Hello, 'again'>
  logger: Logger
}

/** Says hello on every connection to a member that was dialled from here: the other side learns of a new membership, and both hear a clock. */
export function sayHelloAgain({ hello, trust, logger }: Greeting): void {
  for (const { connection } of trust.members()) {
    if (connection.direction !== 'outbound') continue
    hello.again(connection).catch((error: Error) => {
      logger.debug(
        { peer: connection.remotePeer.toString(), error: error.message },
        'hello was not said again; the next connection shows the membership'
      )
    })
  }
}

/** Four of them before a clock that was heard is forgotten. */
const clocksEveryMs = 6 * 3_600_000

/** Says hello anew on connections that last, so that both sides hear each other's clocks and heads for as long as they do. */
export const hearClocks = (services: Supervisor, greeting: Greeting, everyMs = clocksEveryMs): Running =>
  services.run('hello', { everyMs, firstMs: Math.random() * everyMs, round: () => sayHelloAgain(greeting) })
