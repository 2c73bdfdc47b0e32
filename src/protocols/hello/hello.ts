import type { Connection, Libp2pEvents, PeerId, Startable, TypedEventTarget } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { TypedEventEmitter } from 'main-event'
import { equals } from 'uint8arrays/equals'
import { roles } from '../../identity/role.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { silentLogger, systemClock } from '../../runtime/clock-and-logger.ts'
import { UnsupportedVersionError } from '../../runtime/errors.ts'
import { carriedTrace } from '../../runtime/trace.ts'
import { StreamEndedError } from '../engine/errors.ts'
import { FewLines } from '../engine/few-lines.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import {
  answerTraced,
  decodeFrame,
  type Exchange,
  remoteKeyOf,
  request,
  type Served,
  serve
} from '../engine/protocol.ts'
import { errorOf, statuses, statusText } from '../engine/status.ts'
import type { ConnectionTrust, TrustedMember } from '../engine/trust/connection-trust.ts'
import { helloDescriptor, helloVersion } from './descriptor.ts'
import { Hello as HelloMessage } from './pb/hello.ts'
import type { HelloContent, HelloSource, Verdict } from './source.ts'

export interface HelloInit {
  source: HelloSource
  trust: ConnectionTrust
  limits: ProtocolLimits
  clock?: Clock
  logger?: Logger
}

export interface HelloComponents {
  registrar: Registrar
  events: TypedEventTarget<Libp2pEvents>
}

/** The other side proved that it is a member of our network. */
export interface HelloProven {
  readonly connection: Connection
  readonly peerId: PeerId
  readonly member: TrustedMember
  /** The hello that it showed; its checkpoint and its entries may be newer than ours. */
  readonly hello: HelloMessage
  /** The status that it gave us, where it answered: OK, or why we are a stranger there. */
  readonly status: number | undefined
}

/** A peer that we dialled proved nothing, and its connection was closed; or one that dialled us is a stranger. */
export interface HelloRefused {
  readonly connection: Connection
  readonly peerId: PeerId
  /** WRONG_NETWORK, REVOKED, NOT_MEMBER …; INTERNAL when no hello came at all. */
  readonly status: number
  readonly reason: string
  /** The network it named, where it named one. */
  readonly networkId: Uint8Array | undefined
}

export interface HelloEvents {
  proven: CustomEvent<HelloProven>
  refused: CustomEvent<HelloRefused>
}

export interface HelloOptions {
  signal?: AbortSignal
}

/** Statuses that tell nothing else but the network, and behind which nothing more is given on the connection. */
const bare: ReadonlySet<number> = new Set([statuses.WRONG_NETWORK, statuses.UNSUPPORTED_VERSION, statuses.REVOKED])

/** Proof of membership, first on every connection: `/trustnet/hello/1.0.0`. */
export interface Hello extends Startable {
  readonly events: TypedEventTarget<HelloEvents>
  /** Speaks and judges by another source from now on; connections keep their verdicts. */
  use(source: HelloSource): void
  /** Says hello anew, after an admission for example. Resolves with the verdict; rejects when no answer came. */
  again(connection: Connection, options?: HelloOptions): Promise<Verdict>
}

export class HelloService implements Hello {
  readonly events: TypedEventTarget<HelloEvents> = new TypedEventEmitter<HelloEvents>()
  readonly #components: HelloComponents
  readonly #init: HelloInit
  readonly #logger: Logger
  readonly #strangerLog: FewLines
  #source: HelloSource
  #served: Served | undefined

  constructor(components: HelloComponents, init: HelloInit) {
    this.#components = components
    this.#init = init
    this.#logger = init.logger ?? silentLogger
    this.#strangerLog = new FewLines(this.#logger, init.clock)
    this.#source = init.source
  }

  use(source: HelloSource): void {
    this.#source = source
  }

  async start(): Promise<void> {
    const { trust, limits, clock, logger } = this.#init
    const init = { registrar: this.#components.registrar, trust, limits }
    this.#served = await serve(
      { ...init, ...(clock && { clock }), ...(logger && { logger }) },
      helloDescriptor(limits),
      (exchange) => this.#answer(exchange)
    )
    this.#components.events.addEventListener('connection:open', this.#onOpen)
  }

  async stop(): Promise<void> {
    this.#components.events.removeEventListener('connection:open', this.#onOpen)
    await this.#served?.close()
    this.#served = undefined
  }

  async again(connection: Connection, options: HelloOptions = {}): Promise<Verdict> {
    const remoteKey = remoteKeyOf(connection)
    if (remoteKey === undefined) throw new StreamEndedError('the other side has no Ed25519 key')
    const { limits, trust } = this.#init
    const bytes = HelloMessage.encode({ ...this.#messageOf(this.#source.local(), statuses.OK), ...carriedTrace() })
    const answer = await request(connection, helloDescriptor(limits), bytes, { limits, signal: options.signal })
    const remote = decodeFrame(HelloMessage.decode, answer)
    if (remote.status === statuses.RATE_LIMITED) throw errorOf(remote.status, 'hello was said too often')
    const verdict = await this.#judge(remote, remoteKey, true)
    if (verdict.kind === 'member') this.#prove(connection, verdict.member, remote, remote.status)
    else if (bare.has(remote.status)) this.#drop(connection, verdict)
    else trust.judgedStranger(connection)
    return verdict
  }

  readonly #onOpen = (event: CustomEvent<Connection>): void => {
    const connection = event.detail
    this.#init.trust.track(connection)
    if (connection.direction === 'outbound') inBackground(this.#greet(connection), 'saying hello')
  }

  /** Greets somebody whom we dialled: it proves our network at once, or gets nothing more than this hello. */
  async #greet(connection: Connection): Promise<void> {
    try {
      const verdict = await this.again(connection)
      if (verdict.kind === 'stranger' && connection.status === 'open') this.#drop(connection, verdict)
    } catch (error) {
      if (connection.status !== 'open' || this.#init.trust.isMember(connection)) return
      const reason = error instanceof Error ? error.message : 'no answer'
      this.#drop(connection, { status: statuses.INTERNAL, reason: `it did not say hello: ${reason}` })
    }
  }

  #drop(connection: Connection, verdict: { status: number; reason: string; networkId?: Uint8Array }): void {
    this.#refused(connection, verdict)
    connection.abort(new Error(`not of this network: ${verdict.reason}`))
  }

  /** Judges first: a host of another network learns which one this is, and nothing else. */
  async #answer({ frames, connection, remoteKey, signal }: Exchange): Promise<void> {
    const { trust } = this.#init
    trust.track(connection)
    const frame = await frames.read({ signal })
    if (frame === undefined) return
    const remote = decodeFrame(HelloMessage.decode, frame)
    const traced = { logger: this.#logger, peer: connection.remotePeer.toString(), request: 'hello' }
    const verdict = await answerTraced(remote.trace, traced, () => this.#judge(remote, remoteKey, false))
    // Before the answer: once it is out, the other side opens streams for members.
    if (verdict.kind === 'member') this.#prove(connection, verdict.member, remote, undefined)
    else if (!trust.isMember(connection)) {
      if (bare.has(verdict.status)) trust.refuse(connection)
      else trust.judgedStranger(connection)
      this.#refused(connection, verdict)
    }
    await frames.write(HelloMessage.encode(this.#answerFor(verdict)))
  }

  #answerFor(verdict: Verdict): Partial<HelloMessage> {
    const local = this.#source.local()
    if (verdict.kind === 'member') return this.#messageOf(local, statuses.OK)
    if (!bare.has(verdict.status)) return this.#messageOf(local, verdict.status)
    return { version: helloVersion, networkId: local.networkId ?? new Uint8Array(), status: verdict.status }
  }

  #messageOf(content: HelloContent, status: number): Partial<HelloMessage> {
    return { ...messageOf(content, status), timeMs: (this.#init.clock ?? systemClock).now() }
  }

  async #judge(
    remote: HelloMessage,
    remoteKey: Uint8Array,
    dialled: boolean
  ): Promise<Verdict & { networkId?: Uint8Array }> {
    if (remote.version > helloVersion) {
      throw new UnsupportedVersionError(`hello version ${remote.version}: update this program`)
    }
    const ours = this.#source.local().networkId
    const theirs = remote.networkId.byteLength === 0 ? {} : { networkId: remote.networkId.slice() }
    if (ours !== undefined && theirs.networkId !== undefined && !equals(ours, theirs.networkId)) {
      return { kind: 'stranger', status: statuses.WRONG_NETWORK, reason: 'it is of another network', ...theirs }
    }
    const verdict = await this.#source.judge(remote, remoteKey, { dialled })
    // Its status for us tells more than its missing proof, and one behind which it gives us nothing more than who it is.
    const isUnproven = verdict.kind === 'stranger' && remote.genesis.byteLength === 0 && remote.status !== statuses.OK
    if (dialled && (isUnproven || bare.has(remote.status))) {
      return { kind: 'stranger', status: remote.status, reason: `it answered ${statusText(remote.status)}`, ...theirs }
    }
    return { ...verdict, ...theirs }
  }

  #prove(connection: Connection, member: TrustedMember, hello: HelloMessage, status: number | undefined): void {
    // Whom we answer has dialled us, and drops who is no member.
    this.#init.trust.prove(connection, member, { mutual: status === undefined || status === statuses.OK })
    const detail: HelloProven = { connection, peerId: connection.remotePeer, member, hello, status }
    this.events.dispatchEvent(new CustomEvent('proven', { detail }))
  }

  #refused(connection: Connection, verdict: { status: number; reason: string; networkId?: Uint8Array }): void {
    const { status, reason, networkId } = verdict
    const fields = {
      peer: connection.remotePeer.toString(),
      direction: connection.direction,
      status: statusText(status)
    }
    const log = connection.direction === 'inbound' ? this.#strangerLog : this.#logger
    log.info({ ...fields, reason }, 'a connection proved no membership of this network; it is given nothing')
    const detail: HelloRefused = { connection, peerId: connection.remotePeer, status, reason, networkId }
    this.events.dispatchEvent(new CustomEvent('refused', { detail }))
  }
}

function messageOf(content: HelloContent, status: number): Partial<HelloMessage> {
  const none = new Uint8Array()
  return {
    version: helloVersion,
    networkId: content.networkId ?? none,
    genesis: content.genesis ?? none,
    delegations: content.delegations ?? [],
    checkpoint: content.checkpoint ?? none,
    cosignatures: content.cosignatures ?? [],
    admit: content.admit ?? none,
    renew: content.renew ?? none,
    registrySet: content.registrySet ?? none,
    role: roles[content.role],
    software: content.software,
    status
  }
}
