import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameParser, joinFrames } from '../../../../src/protocols/engine/frame-parser.ts'

/** Streams of bytes as hex, what they are cut into, and how they fail. */
const vectors: {
  good: { name: string; maxFrame: number; bytes: string; frames: string[] }[]
  bad: { name: string; maxFrame: number; bytes: string; error: string }[]
  unfinished: { name: string; maxFrame: number; bytes: string }[]
} = JSON.parse(readFileSync(new URL('../../../fixtures/vectors/frames.json', import.meta.url), 'utf8'))

const frame = fc.uint8Array({ minLength: 1, maxLength: 300 })

/** The bytes in pieces of these sizes, over and over. */
function* pieces(bytes: Uint8Array, sizes: number[]): Generator<Uint8Array> {
  let at = 0
  for (let turn = 0; at < bytes.byteLength; turn++) {
    const end = at + (sizes[turn % sizes.length] ?? 1)
    yield bytes.subarray(at, end)
    at = end
  }
}

const failureOf = (parser: FrameParser, chunks: Uint8Array[]): string => {
  try {
    for (const chunk of chunks) parser.push(chunk)
    return 'none'
  } catch (error) {
    return error instanceof Error ? error.name : 'no error'
  }
}

describe('FrameParser', () => {
  it('gives back the frames that were joined, however the bytes are cut', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 9 })
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), cuts, (frames, sizes) => {
        const seen: number[][] = []
        const parser = new FrameParser(300, (bytes) => seen.push([...bytes]))
        for (const piece of pieces(joinFrames(frames), sizes)) parser.push(piece)
        expect(seen).toEqual(frames.map((bytes) => [...bytes]))
        expect(parser.partial).toBe(false)
      })
    )
  })

  it('makes no more frames than are taken, and goes on where it stopped', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 9 })
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), cuts, fc.integer({ min: 1, max: 4 }), (frames, sizes, most) => {
        const seen: number[][] = []
        let queued = 0
        const parser = new FrameParser(300, (bytes) => {
          seen.push([...bytes])
          return ++queued < most
        })
        for (const piece of pieces(joinFrames(frames), sizes)) {
          parser.push(piece)
          expect(queued).toBeLessThanOrEqual(most)
        }
        while (parser.held) {
          queued = 0
          parser.resume()
        }
        expect(seen).toEqual(frames.map((bytes) => [...bytes]))
        expect(parser.partial).toBe(false)
      })
    )
  })

  it('writes and reads lengths of one to four bytes', () => {
    for (const length of [1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
      const seen: number[] = []
      const parser = new FrameParser(2 ** 28, (bytes) => seen.push(bytes.byteLength))
      parser.push(joinFrames([new Uint8Array(length)]))
      expect(seen).toEqual([length])
    }
  })

  it.each([
    ['an empty frame', [0]],
    ['a length that never ends', [0xff, 0xff, 0xff, 0xff, 0xff]],
    ['zero in more bytes than it needs', [0x80, 0x80, 0x00]]
  ])('refuses %s', (_what, bytes) => {
    const parser = new FrameParser(300, () => {})
    expect(() => parser.push(Uint8Array.from(bytes))).toThrow(/frame/)
  })

  it('refuses a frame that is too long at its length, before a byte of it came', () => {
    const parser = new FrameParser(300, () => {})
    expect(() => parser.push(Uint8Array.of(0xad, 0x02))).toThrow('301 bytes, where at most 300')
    expect(() => new FrameParser(300, () => {}).push(Uint8Array.of(0xac, 0x02))).not.toThrow()
  })

  it.each(vectors.good)('takes the recorded frames: $name', ({ bytes, frames, maxFrame }) => {
    const seen: string[] = []
    const parser = new FrameParser(maxFrame, (each) => seen.push(Buffer.from(each).toString('hex')))
    for (const byte of Buffer.from(bytes, 'hex')) parser.push(Uint8Array.of(byte))
    expect(seen).toEqual(frames)
    expect(parser.partial).toBe(false)
    const joined = joinFrames(frames.map((each) => Buffer.from(each, 'hex')))
    expect(Buffer.from(joined).toString('hex')).toBe(bytes)
  })

  it.each(vectors.bad)('resets the recorded stream: $name', ({ bytes, error, maxFrame }) => {
    const parser = new FrameParser(maxFrame, () => {})
    expect(failureOf(parser, [Buffer.from(bytes, 'hex')])).toBe(error)
  })

  it.each(vectors.unfinished)('waits for more: $name', ({ bytes, maxFrame }) => {
    const parser = new FrameParser(maxFrame, () => {})
    expect(failureOf(parser, [Buffer.from(bytes, 'hex')])).toBe('none')
    expect(parser.partial).toBe(true)
  })

  it('throws nothing but its own errors, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (chunks) => {
        const parser = new FrameParser(300, (bytes) => expect(bytes.byteLength).toBeLessThanOrEqual(300))
        expect(failureOf(parser, chunks)).toMatch(/^(none|MalformedFrameError|FrameTooLargeError)$/)
      })
    )
  })
})
