import type { Uint8ArrayList } from 'uint8arraylist'
import { FrameTooLargeError, MalformedFrameError } from '../errors.ts'

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

  /**
   * Follows these bytes until `most` frames have begun in them and are whole, or to their end. Gives how many bytes that are, and the
   * frames that begin in them. @throws FrameTooLargeError, MalformedFrameError at the length of a frame
   */
  push(data: Uint8Array | Uint8ArrayList, most = Number.POSITIVE_INFINITY): { bytes: number; frames: number } {
    const counted = { bytes: 0, frames: 0 }
    for (const part of data instanceof Uint8Array ? [data] : data) {
      const whole = this.#count(part, most, counted)
      if (!whole) break
    }
    return counted
  }

  /** false: there are as many frames as may be. */
  #count(bytes: Uint8Array, most: number, counted: { bytes: number; frames: number }): boolean {
    let at = 0
    while (at < bytes.byteLength && (counted.frames < most || this.#left > 0)) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, bytes.byteLength - at)
        this.#left -= skipped
        at += skipped
      } else if (this.#readLength(bytes[at++] ?? 0)) counted.frames++
    }
    counted.bytes += at
    return at === bytes.byteLength
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
