import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import type { Checkpoint } from '../objects/checkpoint.ts'
import type { Signed } from '../objects/envelope.ts'

/** Checkpoints that a cosignature in gossip may be of: those of some seconds. */
const maxRecent = 64

/** The last checkpoints that were verified here. */
export class RecentCheckpoints {
  /** Newest last, by hash of the payload. */
  readonly #byHash = new Map<string, Signed<Checkpoint>>()

  add(checkpoint: Signed<Checkpoint>): void {
    this.#byHash.set(keyId(checkpoint.hash), checkpoint)
    const [oldest] = this.#byHash.keys()
    if (this.#byHash.size > maxRecent && oldest !== undefined) this.#byHash.delete(oldest)
  }

  /** The one whose payload has this hash. */
  ofHash(hash: Uint8Array): Signed<Checkpoint> | undefined {
    return this.#byHash.get(keyId(hash))
  }

  /** The one with this envelope. */
  ofBytes(envelope: Uint8Array): Signed<Checkpoint> | undefined {
    for (const checkpoint of this.#byHash.values()) if (equals(checkpoint.bytes, envelope)) return checkpoint
    return undefined
  }

  newestFirst(): Signed<Checkpoint>[] {
    return [...this.#byHash.values()].toReversed()
  }
}
