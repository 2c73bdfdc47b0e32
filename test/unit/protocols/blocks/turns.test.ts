import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FetchOptions } from '../../../../src/protocols/blocks/block.ts'
import { blocksId } from '../../../../src/protocols/blocks/descriptor.ts'
import { encodeAnswer } from '../../../../src/protocols/blocks/messages.ts'
import { defaultLimits } from '../../../../src/protocols/engine/limits.ts'
import {
  type BlockMember,
  digestsOf,
  type HostileMember,
  keyOf,
  makeBlocks,
  startBlockMember,
  startHostileMember
} from '../../../helpers/hosts/block-members.ts'
import type { Members } from '../../../helpers/hosts/members.ts'
import { withoutSockets } from '../../../helpers/hosts.ts'
import { eventually } from '../../../helpers/network.ts'
import { TestClock } from '../../../helpers/real-network.ts'

withoutSockets()

const blocks = makeBlocks(80, 20)
const wants = digestsOf(blocks)

let source: HostileMember
let asker: BlockMember
let clock: TestClock
/** Time that the source takes for a block, ms. */
let tookMs: number
/** Blocks that it gave, and the promise that it waits for when it has given so many. */
let given: string[]
let pause: { at: number; reached: PromiseWithResolvers<void>; over: PromiseWithResolvers<void> } | undefined

beforeEach(async () => {
  const members: Members = new Map()
  clock = new TestClock()
  tookMs = 1_100
  given = []
  pause = undefined
  source = await startHostileMember(members, async (digests, { frames }) => {
    for (const digest of digests) {
      if (given.length === pause?.at) {
        pause.reached.resolve()
        await pause.over.promise
      }
      clock.advance(tookMs)
      given.push(keyOf(digest))
      await frames.write(encodeAnswer(digest, blocks.get(keyOf(digest))))
    }
  })
  asker = await startBlockMember({ members, clock, limits: { blocks: { idleFetchMs: 600_000, hedgeMs: 600_000 } } })
})
afterEach(async () => {
  await asker[Symbol.asyncDispose]()
  await source[Symbol.asyncDispose]()
})

/** Begins a fetch. `begun` resolves when its wants are known, `ended` with the number of its blocks. */
function begin(digests: readonly Uint8Array[], options: Partial<FetchOptions> = {}) {
  const begun = Promise.withResolvers<void>()
  const wanted = function* () {
    yield* digests
    begun.resolve()
  }
  const run = async (): Promise<number> => {
    const { signal } = new AbortController()
    let count = 0
    for await (const _ of asker.fetcher.fetch(wanted(), { sources: () => [source.peerId], signal, ...options })) count++
    return count
  }
  return { begun: begun.promise, ended: run() }
}

/** Lets the source go on to that many blocks, and wait there. */
function pauseAt(at: number): void {
  pause = { at, reached: Promise.withResolvers(), over: Promise.withResolvers() }
}

const many = wants.slice(0, 60)
const others = wants.slice(60)
const keys = (digests: readonly Uint8Array[]): Set<string> => new Set(digests.map(keyOf))

/** Of a large fetch five blocks have come over a slow link; then another one begins. */
async function beside(digests: readonly Uint8Array[], options: Partial<FetchOptions> = {}) {
  pauseAt(5)
  const first = begin(many)
  await pause?.reached.promise
  const second = begin(digests, options)
  await second.begun
  await setImmediate()
  pause?.over.resolve()
  return { first, second }
}

describe('over a slow link, beside a large fetch,', () => {
  test('an urgent one waits for what is on its way, and for no more', async () => {
    const { first, second } = await beside(others.slice(0, 1), { isUrgent: true })
    expect(await second.ended).toBe(1)
    const place = given.findIndex((key) => keys(others).has(key))
    // Four are on their way at first, and none of them is asked for again.
    expect(place).toBeLessThanOrEqual(5 + 4)
    expect(await first.ended).toBe(many.length)
  })

  test('another one has every other block', async () => {
    const { first, second } = await beside(others)
    expect(await second.ended).toBe(others.length)
    const last = given.findLastIndex((key) => keys(others).has(key))
    expect(last).toBeLessThan(5 + 4 + 2 * others.length + 4)
    expect(await first.ended).toBe(many.length)
  })
})

describe('the bytes that are on their way', () => {
  const windowOf = (): unknown => {
    const streams = asker.host.getConnections().flatMap((connection) => connection.streams)
    const stream = streams.find(({ protocol }) => protocol === blocksId)
    return stream && Reflect.get(stream, 'recvWindow')
  }

  test('become fewer over a slow link, so that nothing else waits for long, and more again', async () => {
    pauseAt(many.length)
    const slow = begin(many)
    const quick = begin(others)
    await pause?.reached.promise
    expect(windowOf()).toBe(64 * 1024)
    tookMs = 10
    pause?.over.resolve()
    expect(await Promise.all([slow.ended, quick.ended])).toEqual([many.length, others.length])
    expect(windowOf()).toBe(defaultLimits.blocks.windowBytes)
  })

  test('are as many as may be over a quick one', async () => {
    tookMs = 10
    pauseAt(many.length)
    const fetch = begin([...many, ...others])
    await pause?.reached.promise
    expect(windowOf()).toBe(defaultLimits.blocks.windowBytes)
    pause?.over.resolve()
    expect(await fetch.ended).toBe(wants.length)
  })
})

describe('the window of a source that is far away', () => {
  const rttMs = 300
  const far = makeBlocks(60, 65_536)
  const farWants = digestsOf(far)
  const slowBlocks = 30

  /** One that sends a window in each round trip, or, at first, one block in more than a second. Gives the windows of both ends of the fetch. */
  async function windows(measured: number | undefined): Promise<{ afterSlow: number; last: number }> {
    const members: Members = new Map()
    const seen: number[] = []
    await using asking = await startBlockMember({
      members,
      clock,
      limits: { blocks: { idleFetchMs: 600_000, hedgeMs: 600_000 } },
      rttMs: () => measured
    })
    const windowOf = (): number => {
      const streams = asking.host.getConnections().flatMap((connection) => connection.streams)
      return Number(Reflect.get(streams.find(({ protocol }) => protocol === blocksId) ?? {}, 'recvWindow'))
    }
    await using distant = await startHostileMember(members, async (digests, { frames }) => {
      for (const digest of digests) {
        const isSlow = seen.length < slowBlocks
        clock.advance(isSlow ? 1_300 : (rttMs * 65_536) / windowOf())
        // What is on its way is taken before the next: the clock belongs to one of them.
        const taken = asking.stored.blocks.size
        await frames.write(encodeAnswer(digest, far.get(keyOf(digest))))
        await eventually(() => asking.stored.blocks.size > taken)
        seen.push(windowOf())
      }
    })
    await asking.fetch(farWants, [distant])
    return { afterSlow: seen[slowBlocks - 1] ?? 0, last: seen.at(-1) ?? 0 }
  }

  test('grows again after a time in which its link was slow', async () => {
    expect(await windows(rttMs)).toEqual({ afterSlow: 64 * 1024, last: defaultLimits.blocks.windowBytes })
  })

  test('does not where its round trip is not known: what is slow and what is far look the same', async () => {
    expect(await windows(undefined)).toEqual({ afterSlow: 64 * 1024, last: 64 * 1024 })
  })
})
