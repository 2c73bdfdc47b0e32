import type { Stream, StreamHandlerOptions } from '@libp2p/interface'
import type { ConnectionTrust } from '../protocols/engine/trust/connection-trust.ts'
import type { Service } from '../registry/objects/service.ts'
import type { Registry } from '../registry/registry.ts'
import type { Clock } from '../runtime/clock-and-logger.ts'
import type { ControlApi } from './api/control-api.ts'
import type { Config } from './config/schema.ts'
import type { NodeDocuments } from './documents/node-documents.ts'
import type { Forwards } from './forward/forwards.ts'
import type { Host } from './host/host-services.ts'
import type { Logging } from './logging.ts'
import type { ProgramInit } from './program/program.ts'
import type { MemberHandler } from './program/protocols.ts'
import type { ServiceInit } from './services/offered.ts'
import type { NodeStores } from './stores/node-stores.ts'

export interface NodeOptions {
  config: Config
  /** File in which a value that the program itself changes is saved (the port that was free). */
  configFile?: string | undefined
  /** An invite line that no file holds; `bootstrap.inviteFile` comes first. */
  invite?: string | undefined
  logging?: Logging
  /** Reads the configuration anew, for a reload. @throws ConfigError */
  reload?: () => Config
  clock?: Clock
  /** Time for which a root or secondary waits for a port that another process has; 30 s. */
  portWaitMs?: number
  /** Without it no control socket is opened: for a node inside another program. */
  control?: boolean
  /** Parts that the program around this node brings along. */
  program?: ProgramInit
}

export interface HandleOptions extends StreamHandlerOptions {
  /** Tells the others of it as a service of this node, until the node ends. */
  readonly announce?: Pick<ServiceInit, 'name' | 'tags'>
}

/** Services of a node. */
export interface NodeServices {
  /** Services as the others are told of them now, ascending by name. */
  list(): Service[]
  /** Tells the others of a service until it is disposed of. @throws InvalidPayloadError */
  announce(service: ServiceInit): Disposable
}

/** A node of a TrustNet network, in this process. */
export interface Node extends AsyncDisposable {
  readonly control: ControlApi
  /** This node's PeerId. */
  readonly peerId: string
  /** The libp2p host; throws UnavailableError until the network was found. */
  readonly libp2p: Host
  readonly registry: Registry
  readonly trust: ConnectionTrust
  /** The register of documents that the network holds in common. */
  readonly documents: NodeDocuments
  /** Services that this node offers to the others. */
  readonly announced: NodeServices
  /** Services of this node that members may call, and calls of theirs. */
  readonly forwards: Forwards
  /** Folders of content that members share. */
  readonly stores: NodeStores
  /** Resolves when it listens, or, on a first start, when it has begun to look for its network. @throws ConfigError */
  start(): Promise<void>
  /** Resolves when this node is a member with a session, or is the root. */
  joined(options?: { signal?: AbortSignal }): Promise<void>
  /** Says goodbye and ends; 5 s at most. */
  stop(reason?: string): Promise<void>
  /** The step that a stop waits for now. */
  readonly stopSteps: { readonly at: string }
  /** Serves a protocol to members; may be called before `start`. */
  handle(protocol: string, handler: MemberHandler, options?: HandleOptions): Promise<void>
  /** Tells the others of a service of this machine, until it is disposed of. @throws InvalidPayloadError */
  announce(service: ServiceInit): Disposable
  /** Opens a stream of a protocol to a member, by its name or PeerId; connects first where needed. @throws NotFoundError, UnavailableError */
  openStream(peer: string, protocol: string, options?: { signal?: AbortSignal }): Promise<Stream>
  /** Rejects when something of this process itself breaks: database or disk. */
  readonly failed: Promise<never>
  /** Resolves when it has ended: somebody stopped it, or it left its network. */
  readonly stopped: Promise<void>
}
