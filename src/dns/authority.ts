import { NameServer } from './name-server.ts'
import { answerTo, type Zone } from './zone.ts'

/** The only address it binds: it serves this machine's own networks. */
const host = '::1'

/** An authoritative server for one zone on loopback, for a whole network on one machine and for tests. */
export class Authority implements AsyncDisposable {
  readonly zone: Zone
  readonly #server: NameServer

  private constructor(zone: Zone, server: NameServer) {
    this.zone = zone
    this.#server = server
  }

  /** port 0: a free one. */
  static async start(zone: Zone, port = 0): Promise<Authority> {
    return new Authority(zone, await NameServer.start({ host, port, answer: (query) => answerTo(zone, query) }))
  }

  get port(): number {
    return this.#server.port
  }

  /** As resolvers want it: `[::1]:5353`. */
  get address(): string {
    return this.#server.address
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]()
  }
}
