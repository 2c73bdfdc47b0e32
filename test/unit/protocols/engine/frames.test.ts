import type { Stream } from '@libp2p/interface'
import { streamPair } from '@libp2p/utils'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinFrames } from '../../../../src/protocols/engine/frame-parser.ts'
import { FrameStream } from '../../../../src/protocols/engine/frames.ts'
import { type LimitOverrides, limitsWith } from '../../../../src/protocols/engine/limits.ts'

const maxFrame = 2_000

/** Frames at one end of a stream in memory, and the bare other end. */
async function end(overrides: LimitOverrides['stream'] = {}): Promise<{ frames: FrameStream; other: Stream }> {
  const [other, stream] = await streamPair()
  return { frames: new FrameStream(stream, { maxFrame, limits: limitsWith({ stream: overrides }).stream }), other }
}

const nameOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof Error ? error.name : '?')
  )

const bytesOf = (frames: readonly Uint8Array[]): Uint8Array => joinFrames(frames).subarray()

describe('frames that are read', () => {
  it('are those that were written, however the bytes were cut on their way, and then the end', async () => {
    const anyFrames = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(anyFrames, fc.array(fc.nat(400), { maxLength: 6 }), async (written, cuts) => {
        const { frames, other } = await end({ readAheadFrames: 2 })
        let rest = bytesOf(written)
        for (const cut of cuts) {
          if (cut > 0 && cut < rest.length) other.send(rest.slice(0, cut))
          if (cut < rest.length) rest = rest.subarray(cut)
        }
        other.send(rest.slice())
        await other.close()
        const read: Uint8Array[] = []
        for await (const frame of frames) read.push(frame.slice())
        expect(read).toEqual(written)
        expect(await frames.read()).toBeUndefined()
        frames.abort(new Error('the run is over'))
      }),
      { numRuns: 15 }
    )
  })

  it('go to one reader at a time, who may give up and come again', async () => {
    const { frames, other } = await end()
    const giveUp = new AbortController()
    const first = frames.read({ signal: giveUp.signal })
    await expect(frames.read()).rejects.toThrow('one reader at a time')
    giveUp.abort(new Error('no more'))
    await expect(first).rejects.toThrow('no more')
    await expect(frames.read({ signal: giveUp.signal })).rejects.toThrow('no more')
    expect(await nameOf(frames.read({ signal: AbortSignal.timeout(1) }))).toBe('DeadlineError')
    const next = frames.read()
    other.send(bytesOf([Uint8Array.of(7)]))
    expect(await next).toEqual(Uint8Array.of(7))
  })

  it('that are here are given also to a signal that was aborted', async () => {
    const { frames, other } = await end()
    other.send(bytesOf([Uint8Array.of(1), Uint8Array.of(2)]))
    expect(await frames.read()).toEqual(Uint8Array.of(1))
    expect(frames.queued).toBe(1)
    expect(await frames.read({ signal: AbortSignal.abort() })).toEqual(Uint8Array.of(2))
    expect(frames.tryRead()).toBeUndefined()
  })

  it('wait in the stream while so many were read ahead, and none is lost', async () => {
    const { frames, other } = await end({ readAheadFrames: 3 })
    const written = Array.from({ length: 10 }, (_, n) => Uint8Array.of(n + 1))
    other.send(bytesOf(written))
    expect(await frames.read()).toEqual(written[0])
    expect(frames.queued).toBeLessThanOrEqual(3)
    await other.close()
    const rest: Uint8Array[] = []
    for await (const frame of frames) rest.push(frame.slice())
    expect(rest).toEqual(written.slice(1))
  })
})

describe('a stream is cut', () => {
  it.each<[string, (other: Stream) => unknown, string]>([
    ['a frame that is too long', (other) => other.send(Uint8Array.of(209, 15)), 'FrameTooLargeError'],
    ['a length that never ends', (other) => other.send(new Uint8Array(12).fill(255)), 'MalformedFrameError'],
    ['an empty frame', (other) => other.send(Uint8Array.of(0)), 'MalformedFrameError'],
    [
      'an end within a frame',
      async (other) => {
        other.send(Uint8Array.of(5, 1))
        await other.close()
      },
      'MalformedFrameError'
    ],
    ['a frame that does not become whole', (other) => other.send(Uint8Array.of(5, 1)), 'UnfinishedFrameError'],
    ['a reset', (other) => other.abort(new Error('reset')), 'StreamResetError']
  ])('by %s', async (_, attack, name) => {
    const { frames, other } = await end({ frameMs: 50 })
    const read = nameOf(frames.read())
    await attack(other)
    expect(await read).toBe(name)
    expect((await frames.closed)?.name).toBe(name)
    expect(await nameOf(frames.read())).toBe(name)
    expect(await nameOf(frames.write(Uint8Array.of(1)))).not.toBe('none')
  })

  it('by its owner, with the reason for both of its users', async () => {
    const { frames } = await end()
    const read = frames.read()
    frames.abort(new Error('of the owner'))
    await expect(read).rejects.toThrow('of the owner')
    expect((await frames.closed)?.message).toBe('of the owner')
  })

  it('before it was taken: reads say so at once', async () => {
    for (const gone of ['aborted', 'closed'] as const) {
      const [other, stream] = await streamPair()
      if (gone === 'aborted') stream.abort(new Error('gone'))
      else await Promise.all([stream.close(), other.close()])
      const frames = new FrameStream(stream, { maxFrame, limits: limitsWith().stream })
      const outcome = await frames.read().then(String, (error: Error) => error.message)
      expect(outcome).toBe(gone === 'aborted' ? 'the stream is aborted' : 'undefined')
    }
  })
})

describe('closing', () => {
  it('sends what is queued, and reads no more', async () => {
    const [near, far] = await streamPair()
    const limits = limitsWith().stream
    const frames = new FrameStream(near, { maxFrame, limits })
    const reader = new FrameStream(far, { maxFrame, limits })
    for (let n = 1; n <= 5; n++) void frames.write(new Uint8Array(500).fill(n))
    await frames.close()
    const read: number[] = []
    for await (const frame of reader) read.push(frame[0] ?? 0)
    expect(read).toEqual([1, 2, 3, 4, 5])
    await reader.close()
    expect(await frames.closed).toBeUndefined()
  })

  it('is ended by force when the other side keeps its direction open', async () => {
    const { frames, other } = await end({ lingerMs: 20, stallMs: 20 })
    await frames.close()
    expect((await frames.closed)?.message).toBe('the other side did not close its direction')
    other.abort(new Error('the test is over'))
  })
})
