import type { StreamHandlerOptions } from '@libp2p/interface'
import { InvalidPayloadError, NotMemberError } from '../runtime/errors.ts'
import type { NetworkNode } from './network-node.ts'
import type { MemberHandler } from './node-interface.ts'

interface Served {
  protocol: string
  handler: MemberHandler
  options: StreamHandlerOptions
}

/** Protocols of the program that this node is a part of: for proven members only. They are kept until there is a host to serve them. */
export class AppProtocols {
  readonly #served = new Map<string, Served>()
  #network: NetworkNode | undefined

  /** @throws InvalidPayloadError when the protocol is served already */
  async add(served: Served): Promise<void> {
    const { protocol } = served
    if (this.#served.has(protocol)) throw new InvalidPayloadError(`${protocol} is served already`)
    this.#served.set(protocol, served)
    if (this.#network === undefined) return
    try {
      await mount(this.#network, served)
    } catch (error) {
      this.#served.delete(protocol)
      throw error
    }
  }

  /** The host is there. */
  async open(network: NetworkNode): Promise<void> {
    const before = [...this.#served.values()]
    this.#network = network
    await Promise.all(before.map((served) => mount(network, served)))
  }
}

async function mount({ trust, host }: NetworkNode, { protocol, handler, options }: Served): Promise<void> {
  await host.handle(
    protocol,
    async (stream, connection) => {
      await trust.settled(connection)
      const member = trust.memberOf(connection)
      if (member === undefined) stream.abort(new NotMemberError('the connection has not proved membership'))
      else await handler(stream, member)
    },
    options
  )
}
