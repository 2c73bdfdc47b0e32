/** A dial that waits for the key of the host it reached. */
export interface Expectation {
  /** Accepted PeerIds; undefined: any, the caller has no pin. */
  readonly peerIds: ReadonlySet<string> | undefined
  /** The key that came instead. */
  mismatch?: string
}

/**
 * Who is expected behind the addresses that are being dialled. libp2p shares one dial between all who ask for the same
 * address at the same time, so an address may have several expectations; the host must please one of them.
 */
export class Pins {
  readonly #expected = new Map<string, Set<Expectation>>()

  expect(address: string, peerIds: ReadonlySet<string> | undefined): Expectation {
    const expectation: Expectation = { peerIds }
    const all = this.#expected.get(address) ?? new Set()
    this.#expected.set(address, all.add(expectation))
    return expectation
  }

  forget(address: string, expectation: Expectation): void {
    const all = this.#expected.get(address)
    all?.delete(expectation)
    if (all?.size === 0) this.#expected.delete(address)
  }

  /** Whether any dial still waits for that address. */
  isExpected(address: string): boolean {
    return this.#expected.has(address)
  }

  /** After Noise: false when every dial of that address wants another key. */
  accept(address: string, peerId: string): boolean {
    const all = [...(this.#expected.get(address) ?? [])]
    const refusing = all.filter(({ peerIds }) => peerIds?.has(peerId) === false)
    for (const expectation of refusing) expectation.mismatch = peerId
    return refusing.length < all.length || all.length === 0
  }
}
