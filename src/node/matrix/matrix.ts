import type { Connection } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import { isRegistryRole } from '../../identity/role.ts'
import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import type { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import { askTold, type Told } from '../../protocols/probe/index.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { ProbeWords } from './probe-words.ts'

export interface MatrixInit {
  networkId: Uint8Array
  self: Uint8Array
  /** True for a root or secondary, which has members probed itself. */
  asks: boolean
  trust: ConnectionTrust
  limits: ProtocolLimits
  clock: Clock
}

/** Words that one registry was told by the members that it asked; or the reason why it did not say. */
export interface RegistryWords extends Partial<Told> {
  readonly registry: Uint8Array
  readonly error?: string
}

/** Registries have to say so by then. */
const waitMs = 4_000
/** Time for which a look gives the same again: registries answer a peer 16 times a minute. */
const keptMs = 10_000

/** Words of members about each other's addresses, as far as this node can learn it: what its own probers said, and what the registries tell. */
export class Matrix {
  readonly words: ProbeWords
  readonly #init: MatrixInit
  #latest: { readonly at: number; readonly words: Promise<RegistryWords[]> } | undefined

  constructor(init: MatrixInit) {
    this.#init = init
    this.words = new ProbeWords(init.clock)
  }

  /** Gives those of all members that had room in the answers, as it was some seconds ago at most. */
  told(): Promise<RegistryWords[]> {
    const now = this.#init.clock.monotonic()
    if (this.#latest === undefined || now - this.#latest.at > keptMs)
      this.#latest = { at: now, words: this.of(undefined) }
    return this.#latest.words
  }

  /** Gives those of one member, now. */
  async of(publicKey: Uint8Array | undefined): Promise<RegistryWords[]> {
    const { self, asks } = this.#init
    const own: RegistryWords[] = asks ? [{ registry: self, members: this.words.told(publicKey), left: 0 }] : []
    const told = [...this.#registries()].map(([, each]) => this.#ask(each.publicKey, each.connection, publicKey))
    return [...own, ...(await Promise.all(told))]
  }

  #registries(): Map<string, { publicKey: Uint8Array; connection: Connection }> {
    const found = new Map<string, { publicKey: Uint8Array; connection: Connection }>()
    for (const { connection, member } of this.#init.trust.members()) {
      if (isRegistryRole(member.role) && !equals(member.publicKey, this.#init.self))
        found.set(keyId(member.publicKey), { publicKey: member.publicKey, connection })
    }
    return found
  }

  async #ask(registry: Uint8Array, connection: Connection, publicKey: Uint8Array | undefined): Promise<RegistryWords> {
    const { networkId, limits } = this.#init
    try {
      const told = await askTold(connection, publicKey, { networkId, limits, signal: AbortSignal.timeout(waitMs) })
      return { registry, ...told }
    } catch (error) {
      return { registry, error: reasonOf(error) }
    }
  }
}
