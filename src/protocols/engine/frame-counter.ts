import type { Uint8ArrayList } from 'uint8arraylist'
import { FrameTooLargeError, MalformedFrameError } from './errors.ts'

/** 28 bits, as frames of our own have. */
const maxShift = 21

/** Follows the length prefixes in a stream of bytes that somebody else reads, and keeps nothing of it. */
export class FrameCounter {
  readonly #most: number
  /** Bytes of the present frame that are still to come. */
  #left = 0
  #length = 0
  #shift = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Gives how many frames begin in these bytes. @throws FrameTooLargeError, MalformedFrameError at the length of a frame */
  push(data: Uint8Array | Uint8ArrayList): number {
    if (data instanceof Uint8Array) return this.#count(data)
    let frames = 0
    for (const part of data) frames += this.#count(part)
    return frames
  }

  #count(bytes: Uint8Array): number {
    let frames = 0
    for (let at = 0; at < bytes.byteLength; ) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, bytes.byteLength - at)
        this.#left -= skipped
        at += skipped
      } else if (this.#readLength(bytes[at++] ?? 0)) frames++
    }
    return frames
  }

  /** true: the length is whole. */
  #readLength(byte: number): boolean {
    this.#length |= (byte & 0x7f) << this.#shift
    if (byte >= 0x80) {
      if (this.#shift >= maxShift) throw new MalformedFrameError('a frame length of more than 28 bits')
      this.#shift += 7
      return false
    }
    if (this.#length > this.#most) {
      throw new FrameTooLargeError(`a frame of ${this.#length} bytes, where at most ${this.#most} are allowed`)
    }
    this.#left = this.#length
    this.#length = 0
    this.#shift = 0
    return true
  }
}
