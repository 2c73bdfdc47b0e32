import { LengthPrefixedDecoder } from '@libp2p/utils'
import { describe, expect, it } from 'vitest'
import { countEmptyFrames, lengthsWithoutErrors } from '../../../../../src/protocols/engine/libraries/noise-frames.ts'

interface Seen {
  readonly frames: number[]
  readonly charged: number
  /** Times that the decoder met no length, which for the library is an error. */
  readonly errors: number
}

/** Gives the frames that come out of the decoder of Noise, and those that were charged; `most`: the connection is closed when more is. */
function decode(chunks: readonly Uint8Array[], most = Number.POSITIVE_INFINITY, prepare = lengthsWithoutErrors): Seen {
  let errors = 0
  const decoder = new LengthPrefixedDecoder({
    lengthDecoder: (data) => {
      if (data.byteLength < 2) {
        errors++
        throw new RangeError('too few bytes')
      }
      const [high = 0, low = 0] = data.subarray(0, 2)
      return (high << 8) | low
    },
    encodingLength: () => 2
  })
  prepare({ decoder })
  let charged = 0
  countEmptyFrames({ decoder }, (count) => {
    charged += count
    return charged <= most
  })
  const frames = chunks.flatMap((chunk) => [...decoder.decode(chunk)].map(({ byteLength }) => byteLength))
  return { frames, charged, errors }
}

const frame = (length: number): Uint8Array => Uint8Array.from([length >> 8, length & 0xff, ...new Uint8Array(length)])

describe('frames of Noise', () => {
  it('that carry something are not counted, whole or in pieces', () => {
    const bytes = Buffer.concat([frame(28), frame(1_000)])
    expect(decode([bytes])).toEqual({ frames: [28, 1_000], charged: 0, errors: 0 })
    expect(decode([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual({
      frames: [28, 1_000],
      charged: 0,
      errors: 0
    })
  })

  it('of length 0 are counted, and those that hold less than a header of the muxer', () => {
    const bytes = Buffer.concat([frame(0), frame(16), frame(0), frame(27), frame(30), frame(0)])
    expect(decode([bytes])).toEqual({ frames: [16, 27, 30], charged: 5, errors: 0 })
  })

  it('are not decrypted any more when they were too many', () => {
    expect(decode([Buffer.concat([frame(16), frame(16), frame(16), frame(500)])], 1)).toEqual({
      frames: [16],
      charged: 2,
      errors: 0
    })
  })

  it('are found by an error each where the library is left alone', () => {
    expect(decode([frame(28), frame(1_000)], undefined, () => {})).toEqual({
      frames: [28, 1_000],
      charged: 0,
      errors: 2
    })
  })

  it('of another encryption are left alone', () => {
    expect(() => countEmptyFrames({}, () => true)).not.toThrow()
    expect(() => lengthsWithoutErrors({})).not.toThrow()
  })
})
