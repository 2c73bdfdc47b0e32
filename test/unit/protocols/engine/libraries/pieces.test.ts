import { type Stream, StreamMessageEvent } from '@libp2p/interface'
import { byteStream, streamPair } from '@libp2p/utils'
import { TypedEventEmitter } from 'main-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FrameCounter } from '../../../../../src/protocols/engine/libraries/frame-counter.ts'
import { LibraryTurns } from '../../../../../src/protocols/engine/libraries/library-turns.ts'
import { Pieces, type PiecesInit, type Take } from '../../../../../src/protocols/engine/libraries/pieces.ts'
import { waitingOn } from '../../../../../src/protocols/engine/waiting-bytes.ts'

/** A stream of which only the reading side is there. */
class ReadSide extends TypedEventEmitter<{ message: StreamMessageEvent; close: Event }> {
  readStatus: 'readable' | 'paused' = 'readable'

  pause(): void {
    this.readStatus = 'paused'
  }

  resume(): void {
    this.readStatus = 'readable'
  }

  /** Bytes come from the wire. */
  came(bytes: Uint8Array): void {
    this.dispatchEvent(new StreamMessageEvent(bytes))
  }

  /** The library's reader: sizes of what it was given. */
  read(): number[] {
    const given: number[] = []
    this.addEventListener('message', ({ data }) => given.push(data.byteLength))
    return given
  }
}

const kib = (count: number): Uint8Array => new Uint8Array(count * 1024)
const bytesAlone: Take = (data) => ({ bytes: data.byteLength, cost: data.byteLength })

const over = (init: Partial<PiecesInit> = {}) => {
  const { take = bytesAlone, charge = () => 0, refuse = () => {}, turns = new LibraryTurns() } = init
  const side = new ReadSide()
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is looked at is there
  const stream = side as unknown as Stream
  new Pieces(stream, { take, charge, refuse, turns }).start()
  const waiting = (): number => waitingOn({ streams: [stream], maConn: {} }).arrived
  return { side, given: side.read(), waiting }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => vi.useRealTimers())

describe('what comes on a stream of a library', () => {
  it('is given whole and at once where it is small', () => {
    const { side, given, waiting } = over()
    side.came(kib(1))
    side.came(kib(16))
    expect([given, waiting(), side.readStatus]).toEqual([[1024, 16_384], 0, 'readable'])
  })

  it('is given piece by piece, one in a turn, while the stream is paused and the rest counts as waiting', async () => {
    const { side, given, waiting } = over()
    side.came(kib(40))
    expect([given, waiting()]).toEqual([[16_384], 24 * 1024])
    await Promise.resolve()
    expect(side.readStatus).toBe('paused')
    await vi.runAllTimersAsync()
    expect([given, waiting(), side.readStatus]).toEqual([[16_384, 16_384, 8 * 1024], 0, 'readable'])
  })

  it('comes in the order of the wire, whatever comes while some of it waits', async () => {
    const { side } = over()
    const seen: number[] = []
    side.addEventListener('message', ({ data }) => seen.push(...new Set(data.subarray())))
    side.came(kib(20).fill(1))
    side.came(kib(20).fill(2))
    side.came(kib(1).fill(3))
    await vi.runAllTimersAsync()
    expect(seen.filter((value, index) => value !== seen[index - 1])).toEqual([1, 2, 3])
  })

  it('waits for as long as its peer owes for what it sent before', () => {
    const debts = [0, 0, 50, 0, 0]
    const { side, given, waiting } = over({ charge: () => debts.shift() ?? 0 })
    side.came(kib(1))
    expect(given).toEqual([1024])
    side.came(kib(2))
    vi.advanceTimersByTime(49)
    expect([given, waiting()]).toEqual([[1024], 2048])
    vi.advanceTimersByTime(1)
    expect([given, waiting(), side.readStatus]).toEqual([[1024, 2048], 0, 'readable'])
  })

  it('of somebody who owes before the stream begins waits as well', () => {
    let owes = 100
    const { side, given } = over({ charge: () => owes })
    side.came(kib(1))
    expect(given).toEqual([])
    owes = 0
    vi.advanceTimersByTime(100)
    expect(given).toEqual([1024])
  })

  it('counts small messages: sixteen in a turn', async () => {
    const counter = new FrameCounter(100)
    const { side, given } = over({
      take: (data, most) => {
        const { bytes, frames } = counter.push(data, most)
        return { bytes, cost: frames }
      }
    })
    side.came(new Uint8Array(80).map((_, index) => (index % 2 === 0 ? 1 : 7)))
    expect(given).toEqual([32])
    await vi.runAllTimersAsync()
    expect(given).toEqual([32, 32, 16])
  })

  it('that may not be ends the stream, and the library never sees it', () => {
    const refused: unknown[] = []
    const { side, given } = over({
      take: () => {
        throw new Error('too long')
      },
      refuse: (error) => refused.push(error)
    })
    side.came(kib(1))
    expect([given, String(refused[0])]).toEqual([[], 'Error: too long'])
  })

  it('is forgotten with the stream: nothing waits, and nothing is given any more', async () => {
    const { side, given, waiting } = over()
    side.came(kib(40))
    side.dispatchEvent(new Event('close'))
    await vi.runAllTimersAsync()
    expect([given, waiting()]).toEqual([[16_384], 0])
  })

  it('of many streams is given for as long as a turn of the event loop has time, and in the order in which it came', async () => {
    vi.useRealTimers()
    const turns = new LibraryTurns()
    const streams = Array.from({ length: 12 }, () => over({ turns }))
    const given: number[] = []
    let inTurn = 0
    let most = 0
    for (const [index, { side }] of streams.entries()) {
      side.addEventListener('message', () => {
        // A library that works in microtasks, for longer than all have in a turn.
        queueMicrotask(() => {
          for (const until = performance.now() + 10; performance.now() < until; );
          given.push(index)
          if (inTurn === 0) setImmediate(() => (inTurn = 0))
          most = Math.max(most, ++inTurn)
        })
      })
    }
    // The first one takes all the time of this turn, and is served: what it took is counted in a tick.
    streams[0]?.side.came(kib(1))
    await Promise.resolve()
    await new Promise((resolve) => process.nextTick(resolve))
    for (const { side } of streams) side.came(kib(1))
    await expect.poll(() => given).toEqual([0, ...streams.keys()])
    // What comes, and what has waited, have a part each.
    expect(most).toBeLessThanOrEqual(2)
  })

  it('is read to its end by a library whose peer has sent all before all was given', async () => {
    const [near, far] = await streamPair()
    new Pieces(far, { take: bytesAlone, charge: () => 0, refuse: () => {}, turns: new LibraryTurns() }).start()
    const reader = byteStream(far)
    near.send(kib(100))
    await near.close()
    const read: number[] = []
    const all = (async () => {
      for (;;) {
        const bytes = await reader.read()
        if (bytes === null) return
        read.push(bytes.byteLength)
      }
    })()
    await vi.runAllTimersAsync()
    await all
    expect(read.reduce((sum, bytes) => sum + bytes, 0)).toBe(100 * 1024)
  })
})
