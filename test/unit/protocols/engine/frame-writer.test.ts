import type { Stream } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type StalledWriteError, StreamEndedError } from '../../../../src/protocols/engine/errors.ts'
import { FrameWriter } from '../../../../src/protocols/engine/frame-writer.ts'

const kib = 1024
const stallMs = 3_000
/** Length of a frame of 60 KiB, and of one of less than 128 bytes, with the length before it. */
const large = 60 * kib + 3
const small = (bytes: number): number => bytes + 1

/** The writing side of a stream whose reader takes so many sends before it is behind. */
class Pipe extends EventTarget {
  readonly sent: number[] = []
  writeStatus = 'writable'
  writableNeedsDrain = false
  maxWriteBufferLength = 0
  takes = Number.POSITIVE_INFINITY
  failure: Error | undefined

  send(data: { byteLength: number }): void {
    if (this.failure !== undefined) throw this.failure
    this.sent.push(data.byteLength)
    if (this.sent.length >= this.takes) this.writableNeedsDrain = true
  }

  drain(takes: number): void {
    this.takes = this.sent.length + takes
    this.writableNeedsDrain = false
    this.dispatchEvent(new Event('drain'))
  }
}

let pipe: Pipe
let stalled: StalledWriteError[]
let writer: FrameWriter

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  pipe = new Pipe()
  stalled = []
  writer = new FrameWriter(pipe as unknown as Stream, {
    writeBufferBytes: 512 * kib,
    stallMs,
    onStalled: (error) => stalled.push(error)
  })
})
afterEach(() => vi.useRealTimers())

const tick = async (): Promise<void> => {
  await new Promise((resolve) => setImmediate(resolve))
}

describe('frames that are written', () => {
  it('in one tick leave in one send', async () => {
    for (const bytes of [10, 20, 30]) writer.push(new Uint8Array(bytes))
    expect([pipe.sent, writer.bytes]).toEqual([[], 60])
    await tick()
    expect([pipe.sent, writer.bytes]).toEqual([[small(10) + small(20) + small(30)], 0])
  })

  it('leave in sends of little more than 128 KiB', async () => {
    for (let frame = 0; frame < 5; frame++) writer.push(new Uint8Array(60 * kib))
    await tick()
    expect(pipe.sent).toEqual([3 * large, 2 * large])
  })

  it('and are long leave in pieces, of which the rest waits for a reader that is behind', async () => {
    pipe.takes = 2
    writer.push(new Uint8Array(512 * kib))
    const drained = writer.drained()
    await tick()
    expect([pipe.sent, writer.congested, writer.bytes]).toEqual([[128 * kib, 128 * kib], true, 256 * kib + 3])
    pipe.drain(10)
    await drained
    expect([pipe.sent.slice(2), writer.bytes]).toEqual([[128 * kib, 128 * kib, 3], 0])
  })

  it('wait for a reader that is behind, and go on in order when it has read', async () => {
    pipe.takes = 1
    writer.push(new Uint8Array(1))
    await tick()
    writer.push(new Uint8Array(2))
    await tick()
    expect([pipe.sent, writer.congested, writer.bytes]).toEqual([[small(1)], true, 2])
    pipe.drain(10)
    await tick()
    expect([pipe.sent, writer.congested]).toEqual([[small(1), small(2)], false])
  })

  it('are refused on a stream that is closed for writing', () => {
    pipe.writeStatus = 'closed'
    expect(() => writer.push(new Uint8Array(1))).toThrow(StreamEndedError)
  })
})

describe('a reader that is behind', () => {
  it('lets nobody go on who waits for it, until it has read', async () => {
    await writer.ready()
    pipe.takes = 1
    writer.push(new Uint8Array(1))
    await tick()
    const ready = writer.ready()
    expect(await Promise.race([ready.then(() => 'ready'), tick().then(() => 'waits')])).toBe('waits')
    pipe.drain(10)
    await ready
  })

  it('and reads nothing at all is given up after the time for that', async () => {
    pipe.takes = 1
    writer.push(new Uint8Array(1))
    await tick()
    vi.advanceTimersByTime(stallMs - 1)
    expect(stalled).toEqual([])
    vi.advanceTimersByTime(1)
    expect(stalled.map(String)).toEqual(['StalledWriteError: the other side read nothing for 3000 ms'])
  })

  it('and reads a little each time is not given up', async () => {
    for (let round = 0; round < 5; round++) {
      pipe.takes = pipe.sent.length + 1
      writer.push(new Uint8Array(1))
      await tick()
      vi.advanceTimersByTime(stallMs - 1)
      pipe.drain(0)
      pipe.writableNeedsDrain = false
      await tick()
    }
    expect(stalled).toEqual([])
  })

  it('is given up at once when more waits for it than may', async () => {
    pipe.takes = 1
    writer.push(new Uint8Array(1))
    await tick()
    for (let frame = 0; frame < 9; frame++) writer.push(new Uint8Array(60 * kib))
    await tick()
    expect(stalled.map(String)).toEqual([
      `StalledWriteError: ${540 * kib} bytes wait for a reader that is behind, at most ${512 * kib} may`
    ])
  })
})

describe('the end of a stream', () => {
  it('is what all are told who wait or write', async () => {
    pipe.takes = 1
    writer.push(new Uint8Array(1))
    await tick()
    writer.push(new Uint8Array(2))
    const error = new StreamEndedError('gone')
    const waits = [writer.ready(), writer.drained()].map((each) => each.catch((reason: unknown) => reason))
    await tick()
    writer.fail(error)
    expect(await Promise.all(waits)).toEqual([error, undefined].map((each) => each ?? error))
    expect(writer.bytes).toBe(0)
    expect(() => writer.push(new Uint8Array(1))).toThrow(error)
    await expect(writer.ready()).rejects.toBe(error)
    vi.advanceTimersByTime(stallMs)
    expect(stalled).toEqual([])
  })

  it('within a send ends the writing, and keeps nothing', async () => {
    pipe.failure = new Error('reset')
    writer.push(new Uint8Array(5))
    await tick()
    expect(writer.bytes).toBe(0)
    expect(() => writer.push(new Uint8Array(1))).toThrow('reset')
  })

  it('in order comes when all has been handed over', async () => {
    pipe.takes = 1
    for (let frame = 0; frame < 5; frame++) writer.push(new Uint8Array(60 * kib))
    const drained = writer.drained()
    await tick()
    expect(pipe.sent).toEqual([3 * large])
    pipe.drain(10)
    await drained
    expect(pipe.sent).toEqual([3 * large, 2 * large])
  })
})
