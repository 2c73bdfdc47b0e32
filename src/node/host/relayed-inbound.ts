import type { MultiaddrConnection } from '@libp2p/interface'
import { parseCircuit } from '../../address/circuit.ts'
import type { Culprits } from '../../protocols/engine/culprits.ts'

/** Counts connections that others open to this node through relays. A place ends with its connection. */
export class RelayedInbound {
  readonly #most: number
  readonly #culprits: Culprits | undefined
  #open = 0

  constructor(most: number, culprits: Culprits | undefined) {
    this.#most = most
    this.#culprits = culprits
  }

  /** undefined: go on with the handshake. Otherwise why not. */
  refuse(connection: MultiaddrConnection): string | undefined {
    // Nobody would say that it is gone.
    if (connection.status !== 'open') return 'it has ended'
    if (this.#open >= this.#most) {
      const { relay = 'unknown' } = parseCircuit(connection.remoteAddr) ?? {}
      this.#culprits?.exceeded('relay.inbound', { peer: relay })
      return `${this.#most} connections through relays are open`
    }
    this.#open++
    connection.addEventListener('close', () => this.#open--, { once: true })
    return undefined
  }
}
