interface Frame {
  readonly byteLength: number
}

interface Decoder {
  readonly buffer: Frame
  decode(data: Frame): Iterable<Frame>
}

/** Length of each frame of Noise, before it. */
const lengthBytes = 2
/** Below it no header of the muxer is in a frame: its tag, and twelve bytes. */
const leastBytes = 16 + 12

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
  typeof decoder === 'object' && decoder !== null && 'buffer' in decoder && 'decode' in decoder
