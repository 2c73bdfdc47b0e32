/** A dial that waits for the key of the host it reached. */
export interface Expectation {
  /** Accepted PeerIds; undefined: any, the caller has no pin. */
  readonly peerIds: ReadonlySet<string> | undefined
  /** The key that came instead. */
  mismatch?: string
}

/**
 * Keys that are expected behind the addresses that are being dialled. Several dials of one address may go on at a time, and the
 * gater sees only the address, so the host must please one of them; each dial looks again at what it was given.
 */
export class Pins {
  readonly #expected = new Map<string, Set<Expectation>>()

  expect(address: string, peerIds: ReadonlySet<string> | undefined): Expectation {
    const expectation: Expectation = { peerIds }
    const all = this.#expected.get(address) ?? new Set()
    this.#expected.set(address, all.add(expectation))
    return expectation
  }

  /** True while somebody dials that address here. */
  isExpected(address: string): boolean {
    return this.#expected.has(address)
  }

  forget(address: string, expectation: Expectation): void {
    const all = this.#expected.get(address)
    all?.delete(expectation)
    if (all?.size === 0) this.#expected.delete(address)
  }

  /** After Noise: false when every dial of that address wants another key. */
  accept(address: string, peerId: string): boolean {
    const all = [...(this.#expected.get(address) ?? [])]
    const refusing = all.filter(({ peerIds }) => peerIds?.has(peerId) === false)
    for (const expectation of refusing) expectation.mismatch = peerId
    return refusing.length < all.length || all.length === 0
  }
}
