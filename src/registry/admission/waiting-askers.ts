import { keyId } from '../../identity/key-id.ts'

/**
 * The asker of each request that waits: the site (a /48) of a joiner, or the registry that passed its join on. Of a full list the asker with most on it
 * gives way, so that nobody can fill it for the others. In memory: what waits from before a restart counts as of one asker each.
 */
export class WaitingAskers {
  readonly #askers = new Map<string, string>()

  set(publicKey: Uint8Array, asker: string | undefined): void {
    if (asker !== undefined) this.#askers.set(keyId(publicKey), asker)
  }

  delete(publicKey: Uint8Array): void {
    this.#askers.delete(keyId(publicKey))
  }

  /** The oldest of the asker with most of these, which are in the order of their coming; undefined: there are none. */
  givesWay(waiting: readonly Uint8Array[]): Uint8Array | undefined {
    const byAsker = Map.groupBy(waiting, (key) => this.#askers.get(keyId(key)) ?? keyId(key))
    let most: readonly Uint8Array[] = []
    for (const keys of byAsker.values()) if (keys.length > most.length) most = keys
    return most[0]
  }
}
