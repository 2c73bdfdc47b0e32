import type { Startable } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { readPublish, type SignedPublish } from '../../registry/documents/signed-publish.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { MalformedFrameError, StreamEndedError } from '../engine/errors.ts'
import type { FrameStream } from '../engine/frames.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { answerTraced, type Exchange, type Served, serve } from '../engine/protocol.ts'
import { statuses } from '../engine/status.ts'
import type { ConnectionTrust } from '../engine/trust/connection-trust.ts'
import { adminProtocol, adminVersion } from './descriptor.ts'
import { type AdminAnswered, type AdminCall, decodeCall } from './messages.ts'
import { AdminAnswer } from './pb/admin.ts'

export interface AdminServerInit {
  networkId: Uint8Array
  /** Carries it out at the root; elsewhere asks the root, unless it was forwarded already. `from`: the member that brings it. */
  carryOut: (
    call: AdminCall,
    from: Uint8Array,
    options: { forwarded: boolean; signal: AbortSignal }
  ) => Promise<AdminAnswered>
  trust: ConnectionTrust
  limits: ProtocolLimits
  clock?: Clock
  logger?: Logger
}

export interface AdminServerComponents {
  registrar: Registrar
}

class AdminService implements Startable {
  readonly #init: AdminServerInit
  readonly #components: AdminServerComponents
  #served: Served | undefined

  constructor(components: AdminServerComponents, init: AdminServerInit) {
    this.#init = init
    this.#components = components
  }

  isStarted(): boolean {
    return this.#served !== undefined
  }

  async start(): Promise<void> {
    const init = { ...this.#init, registrar: this.#components.registrar }
    this.#served = await serve(init, adminProtocol(this.#init.limits), (exchange) => this.#handle(exchange))
  }

  async stop(): Promise<void> {
    await this.#served?.close()
    this.#served = undefined
  }

  async #handle({ frames, remoteKey, remoteId, signal }: Exchange): Promise<void> {
    const bytes = await frames.read({ signal })
    if (bytes === undefined) throw new StreamEndedError('a stream for orders without one')
    const { call: head, forwarded, trace } = decodeCall(bytes, this.#init.networkId)
    const call = 'document' in head ? { document: await withBytes(head.document, frames, signal) } : head
    const traced = { logger: this.#init.logger, peer: remoteId, request: 'order' }
    const { entries, waiting } = await answerTraced(trace, traced, () =>
      this.#init.carryOut(call, remoteKey, { forwarded, signal })
    )
    const answer = { version: adminVersion, status: statuses.OK, retryAfterMs: 0, entries: [...entries] }
    await frames.write(
      AdminAnswer.encode({ ...answer, waiting: fitting(waiting, this.#init.limits.admin.answerBytes - headBytes) })
    )
  }
}

/** Reads what follows a document: as many bytes as its entry says. @throws MalformedFrameError, InvalidPayloadError */
async function withBytes(
  document: Omit<SignedPublish, 'bytes'>,
  frames: FrameStream,
  signal: AbortSignal
): Promise<SignedPublish> {
  const bytes = new Uint8Array(readPublish(document.body).sizeBytes)
  for (let at = 0; at < bytes.length; ) {
    const frame = await frames.read({ signal })
    if (frame === undefined) throw new StreamEndedError('a document that ends before its bytes')
    if (frame.length === 0 || frame.length > bytes.length - at)
      throw new MalformedFrameError('a document of other bytes')
    bytes.set(frame, at)
    at += frame.length
  }
  return { ...document, bytes }
}

const headBytes = 1024
const itemBytes = 64

/** As many as fit into an answer, oldest first. */
function fitting(waiting: AdminAnswered['waiting'], mostBytes: number): AdminAnswer['waiting'] {
  const items: AdminAnswer['waiting'] = []
  let bytes = 0
  for (const { acts, ...item } of waiting) {
    bytes += itemBytes
    for (const { body, order } of acts) bytes += body.length + order.length + itemBytes
    if (bytes > mostBytes) break
    items.push({ ...item, acts: [...acts] })
  }
  return items
}

/** The service that takes orders of operators. */
export function adminServer(init: AdminServerInit): (components: AdminServerComponents) => Startable {
  return (components) => new AdminService(components, init)
}
