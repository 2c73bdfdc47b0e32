import type { Duplex } from 'node:stream'
import type { FrameStream } from '../../protocols/engine/frames.ts'
import type { Forward } from '../../protocols/forward/forward.ts'
import type { ForwardServerInit, LiveForwards } from '../../protocols/forward/index.ts'
import type { Registry } from '../../registry/registry.ts'
import type { ExposedService } from './exposed-services.ts'

/** A service to call: at one member, or without a peer at any that is well. */
export interface Called {
  /** Name, PeerId or the end of one. */
  readonly peer?: string | undefined
  readonly service: string
}

export interface ForwardOptions {
  /** Ends the call until the service has answered. */
  signal?: AbortSignal | undefined
}

export interface ListenOptions {
  /** Ends it. */
  signal?: AbortSignal | undefined
  /** Loopback address with a port, or a port; without it a free one. */
  at?: string | undefined
  /** Told why a connection came to nothing. */
  onFailed?: (error: Error) => void
}

/** An address of this machine at which a service of another member is called, until it is disposed of. */
export interface ServiceListener extends AsyncDisposable, Called {
  /** `[::1]:5432`. */
  readonly address: string
  /** Connections that are open. */
  readonly open: number
  /** Connections since the start. */
  readonly taken: number
  /** Those of them that came to nothing. */
  readonly failed: number
  /** Resolves when it listens no more. */
  readonly closed: Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Services of members, for programs. */
export interface Forwards {
  /** Lets members that the policy allows call what listens at `[::1]:PORT` or `unix:PATH`; it lasts. @throws InvalidPayloadError, AddressSpellingError, LimitError */
  expose(name: string, to: string): ExposedService
  /** Exposes it no longer, and ends its forwards; undefined: it was not exposed. */
  unexpose(name: string): ExposedService | undefined
  /** By name. */
  readonly exposed: readonly ExposedService[]
  /** Bytes to and from a service of another member; without a peer of any that has it. @throws NotFoundError, NotAllowedError, NotExposedError, UnavailableError */
  call(called: Called, options?: ForwardOptions): Promise<Duplex>
  /** Listens on loopback for whoever wants to call it, until it is disposed of. @throws InvalidPayloadError, NotFoundError for a member that the network does not know */
  listen(called: Called, options?: ListenOptions): Promise<ServiceListener>
}

/** A forward that was answered, and has no socket yet. */
export interface OpenedForward {
  readonly forward: Forward
  readonly frames: FrameStream
}

/** The same, for the other parts of the node. */
export interface ForwardParts extends Forwards {
  readonly live: LiveForwards
  readonly listeners: readonly ServiceListener[]
  /** Ends what is not allowed any more. */
  recheck(): void
  /** Opens a forward, which is to be joined to a socket. */
  open(called: Called, signal: AbortSignal): Promise<OpenedForward>
  /** Joins a socket to a service. Resolves when bytes go. */
  join(called: Called, socket: Duplex, signal?: AbortSignal): Promise<Forward>
  /** The parts that the protocol's server is made with. */
  served(registry: Registry): Pick<ForwardServerInit, 'networkId' | 'live' | 'find'>
}
