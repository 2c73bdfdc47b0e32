import type { PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { Asker, BlockSource } from '../../../src/protocols/blocks/source.ts'
import { keyOf } from '../signed-objects.ts'

/** A source of blocks without a stream: it owes what it is asked for until the test answers. */
export class WaitingSource implements BlockSource {
  readonly peer: PeerId
  readonly asked: Uint8Array[] = []
  /** Called when it is asked. */
  onAsk: (digests: Uint8Array[], asker: Asker) => void = () => {}
  room = 64
  hasRoom = true
  owesMs = 0

  constructor(number: number) {
    this.peer = peerIdFromPrivateKey(keyOf(number).toLibp2p())
  }

  get id(): string {
    return this.peer.toString()
  }

  owesForMs(): number {
    return this.owesMs
  }

  ask(digests: Iterable<Uint8Array>, asker: Asker): void {
    const list = [...digests]
    this.asked.push(...list)
    this.onAsk(list, asker)
  }

  forget(): void {}
}
