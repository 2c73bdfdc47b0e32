import { keyId } from '../../identity/key-id.ts'
import type { Publish } from '../objects/entry.ts'

/** As many as anybody publishes again by hand. */
const maxUnanswered = 64

/** Documents of which nobody knows here whether the root has entered them: its answer was lost. By id, the latest ones of this process. */
export class UnansweredPublishes {
  readonly #digests = new Map<string, string>()

  add({ id, digest }: Publish): void {
    this.#digests.delete(id)
    this.#digests.set(id, keyId(digest))
    const oldest = this.#digests.keys().next().value
    if (oldest !== undefined && this.#digests.size > maxUnanswered) this.#digests.delete(oldest)
  }

  /** Tells whether this content is one of them, and forgets what was known of the id. */
  take({ id, digest }: Publish): boolean {
    const isOne = this.#digests.get(id) === keyId(digest)
    this.#digests.delete(id)
    return isOne
  }
}
