import { peerIdText } from '../../identity/keys.ts'

/** Shares one call among all that ask for the same key at the same time: the first works, the others get its result. */
export class SingleFlight<T> {
  readonly #running = new Map<string, Promise<T>>()

  run(publicKey: Uint8Array, work: () => Promise<T>): Promise<T> {
    const key = peerIdText(publicKey)
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const started = work().finally(() => this.#running.delete(key))
    this.#running.set(key, started)
    return started
  }
}
