import { concat } from 'uint8arrays/concat'
import { countBuffer } from '../../runtime/young-generation.ts'
import { FrameTooLargeError, MalformedFrameError } from './errors.ts'

/** 28 bits: the longest frame of ours, a block, has little more than 1 MiB. */
const maxHeaderBytes = 4

/**
 * Cuts a stream of bytes into frames: an unsigned varint length, then as many bytes. Keeps one unfinished frame, and what its owner
 * does not take yet: a frame costs far more as an object than its two bytes on the wire.
 */
export class FrameParser {
  readonly #maxFrame: number
  readonly #onFrame: (frame: Uint8Array) => unknown
  #parts: Uint8Array[] = []
  #have = 0
  #need = 1
  #length = 0
  #held = false

  /** `onFrame` gives false when it takes no more: the rest is held until `resume`. */
  constructor(maxFrame: number, onFrame: (frame: Uint8Array) => unknown) {
    this.#maxFrame = maxFrame
    this.#onFrame = onFrame
  }

  /** A frame was begun and is not whole. */
  get partial(): boolean {
    return this.#have > 0 && !this.#held
  }

  /** Bytes that are kept of frames that were not taken. */
  get bytes(): number {
    return this.#have
  }

  /** There may be whole frames that were not taken. */
  get held(): boolean {
    return this.#held
  }

  /** Goes on with what is held. Throws like `push`. */
  resume(): void {
    if (!this.#held) return
    this.#held = false
    this.#take()
  }

  /** Gives what is kept of bytes that were not taken, and forgets it. */
  takeRest(): Uint8Array {
    const rest = concat(this.#parts, this.#have)
    this.#parts = []
    this.#have = 0
    return rest
  }

  /** Throws FrameTooLargeError at the length of a frame, before any byte of it is kept, or MalformedFrameError. */
  push(chunk: Uint8Array): void {
    this.#parts.push(chunk)
    this.#have += chunk.byteLength
    if (!this.#held && this.#have >= this.#need) this.#take()
  }

  #take(): void {
    const [first] = this.#parts
    const bytes = this.#parts.length === 1 && first !== undefined ? first : this.#joined()
    const rest = bytes.subarray(this.#cut(bytes))
    this.#have = rest.byteLength
    this.#parts = rest.byteLength > 0 ? [rest] : []
  }

  #joined(): Uint8Array {
    countBuffer(this.#have)
    return concat(this.#parts, this.#have)
  }

  /** Returns how many bytes were whole frames, and notes how many the next one needs. */
  #cut(bytes: Uint8Array): number {
    let at = 0
    this.#need = 1
    while (at < bytes.byteLength) {
      const header = this.#readLength(bytes, at)
      if (header === 0) {
        this.#need = bytes.byteLength - at + 1
        return at
      }
      const end = at + header + this.#length
      if (end > bytes.byteLength) {
        this.#need = end - at
        return at
      }
      at = end
      if (this.#onFrame(bytes.subarray(end - this.#length, end)) === false) {
        this.#held = true
        return at
      }
    }
    return at
  }

  /** Sets #length; returns the bytes of the varint, 0 while it is not whole. */
  #readLength(bytes: Uint8Array, from: number): number {
    let length = 0
    for (let index = 0; index < maxHeaderBytes; index++) {
      const byte = bytes[from + index]
      if (byte === undefined) return 0
      length |= (byte & 0x7f) << (7 * index)
      if (byte >= 0x80) continue
      if (length === 0) throw new MalformedFrameError('an empty frame')
      if (byte === 0) throw new MalformedFrameError('a frame length that is not in its shortest form')
      if (length > this.#maxFrame) {
        throw new FrameTooLargeError(`a frame of ${length} bytes, where at most ${this.#maxFrame} are allowed`)
      }
      this.#length = length
      return index + 1
    }
    throw new MalformedFrameError('a frame length of more than 28 bits')
  }
}

/** Frames as one buffer, ready to be sent. */
export function joinFrames(frames: readonly Uint8Array[]): Uint8Array {
  let size = 0
  for (const frame of frames) size += headerBytes(frame.byteLength) + frame.byteLength
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const frame of frames) {
    at = putLength(bytes, at, frame.byteLength)
    bytes.set(frame, at)
    at += frame.byteLength
  }
  return bytes
}

/** The length that stands before a frame. */
export function lengthPrefix(length: number): Uint8Array {
  const bytes = new Uint8Array(headerBytes(length))
  putLength(bytes, 0, length)
  return bytes
}

/** Gives the place behind it. */
function putLength(bytes: Uint8Array, from: number, length: number): number {
  let at = from
  let rest = length
  while (rest >= 0x80) {
    bytes[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[at++] = rest
  return at
}

function headerBytes(length: number): number {
  let bytes = 1
  for (let rest = length >>> 7; rest > 0; rest >>>= 7) bytes++
  return bytes
}
