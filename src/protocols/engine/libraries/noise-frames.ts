/** Bytes in one piece, or a list of pieces of any version of uint8arraylist. */
type Bytes = Uint8Array | (Iterable<Uint8Array> & { readonly byteLength: number })

interface Decoder {
  readonly buffer: Bytes
  lengthDecoder(data: Bytes): number
  decode(data: Bytes): Iterable<Bytes>
}

/** Length of each frame of Noise, before it. */
const lengthBytes = 2
/** Below it no header of the muxer is in a frame: its tag, and twelve bytes. */
const leastBytes = 16 + 12
/** Shorter ones are decrypted in place by the library, longer ones into memory of their own. */
const longBytes = 4_096
/** Place for the one frame that is worked on. */
const scratch = new Uint8Array(65_536)

export const isLong = ({ byteLength }: Bytes): boolean => byteLength >= longBytes && byteLength <= scratch.byteLength

/** The bytes of a long frame in one piece, until the next one is gathered. */
export function gathered(frame: Bytes): Uint8Array {
  if (frame instanceof Uint8Array) return frame
  let at = 0
  for (const part of frame) {
    scratch.set(part, at)
    at += part.byteLength
  }
  return scratch.subarray(0, at)
}

/** More than any buffer has in which there is no length yet. */
const notYet = 0xffff

/**
 * Finds without an error that the length of the next frame has not come: the library makes one whenever a chunk ends with a frame, and its
 * stack is a good part of what a short message costs.
 */
export function lengthsWithoutErrors(encryption: object): void {
  const decoder: unknown = Reflect.get(encryption, 'decoder')
  if (!isDecoder(decoder)) return
  const lengthOf = decoder.lengthDecoder.bind(decoder)
  decoder.lengthDecoder = (data) => (data.byteLength < lengthBytes ? notYet : lengthOf(data))
}

/** Gathers each long frame before it is decrypted: Noise copies those in several pieces to new memory, for a library that writes there. */
export function gatherFrames(encryption: object): void {
  const decoder: unknown = Reflect.get(encryption, 'decoder')
  if (!isDecoder(decoder)) return
  const decode = decoder.decode.bind(decoder)
  decoder.decode = function* (data) {
    for (const frame of decode(data)) yield isLong(frame) ? gathered(frame) : frame
  }
}

/**
 * Counts the frames of Noise in which nothing is that the muxer could read. No muxer sends such frames, those of length 0 can be sent
 * without a key, and nobody above sees them. `charge` gives false when the connection was closed for them.
 */
export function countEmptyFrames(encryption: object, charge: (count: number) => boolean): void {
  const decoder: unknown = Reflect.get(encryption, 'decoder')
  if (!isDecoder(decoder)) return
  const decode = decoder.decode.bind(decoder)
  decoder.decode = function* (data) {
    let skipped = decoder.buffer.byteLength + data.byteLength
    for (const frame of decode(data)) {
      skipped -= lengthBytes + frame.byteLength
      if (frame.byteLength < leastBytes && !charge(1)) return
      yield frame
    }
    skipped -= decoder.buffer.byteLength
    if (skipped > 0) charge(skipped / lengthBytes)
  }
}

const isDecoder = (decoder: unknown): decoder is Decoder =>
  typeof decoder === 'object' &&
  decoder !== null &&
  'buffer' in decoder &&
  'decode' in decoder &&
  'lengthDecoder' in decoder
