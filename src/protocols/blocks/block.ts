import type { PeerId } from '@libp2p/interface'

/** Gives stored blocks to members who ask for them. */
export interface BlockReader {
  /**
   * The block with this SHA-256 digest, undefined where it is not stored. It gives only what it has checked against the digest: whoever is sent
   * other bytes asks this node for nothing more.
   */
  read(digest: Uint8Array): Promise<Uint8Array | undefined>
}

/** Bytes that were checked against their digest, and the member that sent them. */
export interface Block {
  /** SHA-256. */
  readonly digest: Uint8Array
  /** At most 1 MiB. The receiver owns them. */
  readonly bytes: Uint8Array
  readonly from: PeerId
}

export interface FetchOptions {
  /** Members that may have the blocks, asked for anew as the fetch goes on: those who have all of them, and those who fetch the same ones. */
  readonly sources: () => PeerId[]
  /** It is short, and somebody waits for it: where a member sends little at a time, what others fetch of it comes behind. */
  readonly isUrgent?: boolean
  readonly signal: AbortSignal
}

/** Fetches blocks from several members at once. */
export interface BlockExchange {
  /**
   * Gives each block once, in whatever order they come. Ends when all were given, or when nobody gave any for a while: what was not given by
   * then is nowhere now. @throws the reason of the signal
   */
  fetch(wants: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, options: FetchOptions): AsyncIterable<Block>
}
