import type { Connection, Stream, StreamHandlerOptions } from '@libp2p/interface'
import type { ConnectionTrust, TrustedMember } from '../../protocols/engine/trust/connection-trust.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import { InvalidPayloadError, NotMemberError } from '../../runtime/errors.ts'
import type { Host } from '../host/host-services.ts'

/** Serves a protocol of the developer's own; only proven members reach it. */
export type MemberHandler = (stream: Stream, member: TrustedMember) => void | Promise<void>

/** A host that listens, and what its connections have proved. */
interface Listening {
  readonly host: Host
  readonly trust: ConnectionTrust
}

interface Served {
  protocol: string
  handler: MemberHandler
  options: StreamHandlerOptions
}

/** Protocols of the program that this node is a part of: for proven members only. They are kept until there is a host to serve them. */
export class ProgramProtocols {
  readonly #logger: Logger
  readonly #served = new Map<string, Served>()
  #network: Listening | undefined

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** @throws InvalidPayloadError when the protocol is served already, or is one of TrustNet's own */
  async add(served: Served): Promise<void> {
    const { protocol } = served
    if (protocol.startsWith('/trustnet/')) {
      throw new InvalidPayloadError(`${protocol} is a name of TrustNet: choose one that does not begin with /trustnet/`)
    }
    if (this.#served.has(protocol)) throw new InvalidPayloadError(`${protocol} is served already`)
    this.#served.set(protocol, served)
    if (this.#network === undefined) return
    try {
      await this.#mount(this.#network, served)
    } catch (error) {
      this.#served.delete(protocol)
      throw error
    }
  }

  /** The host is there. */
  async open(network: Listening): Promise<void> {
    const before = [...this.#served.values()]
    this.#network = network
    await Promise.all(before.map((served) => this.#mount(network, served)))
  }

  async #mount({ trust, host }: Listening, { protocol, handler, options }: Served): Promise<void> {
    const serve = async (stream: Stream, connection: Connection): Promise<void> => {
      await trust.settled(connection)
      const member = trust.memberOf(connection)
      if (member === undefined) {
        stream.abort(new NotMemberError('the connection has not proved membership'))
        return
      }
      try {
        await handler(stream, member)
      } catch (error) {
        const stack = error instanceof Error ? error.stack : undefined
        this.#logger.error(
          { protocol, peer: connection.remotePeer.toString(), member: member.name, error, stack },
          'the handler of this protocol failed: its stream is reset, and the member learns no reason'
        )
        stream.abort(error instanceof Error ? error : new Error(String(error)))
      }
    }
    await host.handle(protocol, serve, options)
  }
}
