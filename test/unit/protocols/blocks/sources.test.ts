import { describe, expect, test } from 'vitest'
import { blocksId } from '../../../../src/protocols/blocks/descriptor.ts'
import type { Block } from '../../../../src/protocols/blocks/index.ts'
import { encodeAnswer } from '../../../../src/protocols/blocks/messages.ts'
import { defaultLimits, type LimitOverrides } from '../../../../src/protocols/engine/limits.ts'
import type { Exchange } from '../../../../src/protocols/engine/protocol.ts'
import {
  type BlockMember,
  type BlockMemberInit,
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
import { disposeAfterTest } from '../../../helpers/vitest/dispose-after-test.ts'

withoutSockets()

const members: Members = new Map()

const start = async (init: Partial<BlockMemberInit> = {}): Promise<BlockMember> => {
  const member = await startBlockMember({ members, ...init })
  disposeAfterTest(member)
  return member
}

const startHostile = async (
  answer: (digests: Uint8Array[], exchange: Exchange) => Promise<void>
): Promise<HostileMember> => {
  const member = await startHostileMember(members, answer)
  disposeAfterTest(member)
  return member
}

/** So that nothing in a test waits for what takes seconds. */
const quick: LimitOverrides = { blocks: { idleFetchMs: 200, hedgeMs: 50 } }
/** For a fetch that gets all: however long the machine pauses, it does not end before. */
const patient: LimitOverrides = { blocks: { idleFetchMs: 60_000, hedgeMs: 50 } }
const { dialMs, silenceMs, idleFetchMs } = defaultLimits.blocks
const blocks = makeBlocks(40)
const wants = digestsOf(blocks)
const other = Uint8Array.of(1, 2, 3)

const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const got: T[] = []
  for await (const item of items) got.push(item)
  return got
}

const namedOf = ({ member }: BlockMember): string[] =>
  member.trust.culprits.counts.flatMap(({ limit, culprits }) => culprits.map(({ who }) => `${limit} ${who}`))

describe('a source that answers wrongly', () => {
  test.each<[string, (digests: Uint8Array[], exchange: Exchange) => Promise<void>]>([
    [
      'with the bytes of another block',
      async (digests, { frames }) => await frames.write(encodeAnswer(digests[0] ?? other, other))
    ],
    [
      'with a large block of other bytes',
      async (digests, { frames }) => await frames.write(encodeAnswer(digests[0] ?? other, new Uint8Array(1_048_576)))
    ],
    [
      'about a block that it was not asked for',
      async (_, { frames }) => await frames.write(encodeAnswer(new Uint8Array(32), undefined))
    ],
    ['with what is no message', async (_, { frames }) => await frames.write(Uint8Array.of(255, 255, 255))],
    ['about no block', async (_, { frames }) => await frames.write(encodeAnswer(other, undefined))],
    [
      'with a frame that is longer than any block',
      async (_, { frames }) => await frames.write(encodeAnswer(new Uint8Array(32), new Uint8Array(1_048_577 + 128)))
    ]
  ])('%s is named and not asked again for an hour, and others give what it owes', async (_, answer) => {
    const clock = new TestClock()
    const liar = await startHostile(answer)
    const owner = await start({ blocks })
    const asker = await start({ clock, limits: quick })
    const wrong: string[] = []
    const again = new AbortController()
    asker.fetcher.events.addEventListener('wrong', ({ detail }) => {
      if (wrong.push(detail.peer) > 1) again.abort(new Error('wrong again'))
    })
    // The owner comes when the other one has answered.
    const sources = () => (wrong.length > 0 ? [liar.peerId, owner.peerId] : [liar.peerId])
    const got = await all(asker.fetcher.fetch(wants, { sources, signal: new AbortController().signal }))
    expect(got).toHaveLength(blocks.size)
    expect(got.every(({ from }) => from.equals(owner.peerId))).toBe(true)
    expect(wrong).toEqual([liar.peerId.toString()])
    expect(namedOf(asker)).toEqual([`blocks.wrong ${liar.peerId.toString()}`])

    const before = liar.requests.length
    clock.advance(3_599_000)
    await asker.fetch(wants, [liar, owner])
    expect(liar.requests).toHaveLength(before)
    clock.advance(2_000)
    const asked = all(asker.fetcher.fetch(wants, { sources: () => [liar.peerId], signal: again.signal }))
    await expect(asked).rejects.toThrow('wrong again')
  })
})

describe('a source', () => {
  test('that leaves in the middle is replaced by another, and nothing that came is asked for again', async () => {
    const three = Promise.withResolvers<void>()
    let answers = 0
    const leaving = await startHostile(async (digests, { frames }) => {
      for (const digest of digests) {
        if (++answers <= 3) await frames.write(encodeAnswer(digest, blocks.get(keyOf(digest))))
        else {
          await three.promise
          frames.abort(new Error('gone'))
        }
      }
    })
    const owner = await start({ blocks })
    const asker = await start({ limits: patient })
    const got: Block[] = []
    const sources = () => (got.length < 3 ? [leaving.peerId] : [leaving.peerId, owner.peerId])
    for await (const block of asker.fetcher.fetch(wants, { sources, signal: new AbortController().signal })) {
      if (got.push(block) === 3) three.resolve()
    }
    expect(got).toHaveLength(blocks.size)
    expect(got.filter(({ from }) => from.equals(leaving.peerId))).toHaveLength(3)
    expect(owner.stored.given).toBe(blocks.size - 3)
    expect(namedOf(asker)).toEqual([])
  })

  test('that is silent owes its blocks no longer than until another has nothing else to send', async () => {
    const asked = Promise.withResolvers<void>()
    const silent = await startHostile(async () => asked.resolve())
    const owner = await start({ blocks })
    const asker = await start({ limits: patient })
    let isAsked = false
    asked.promise.then(
      () => (isAsked = true),
      () => {}
    )
    const sources = () => (isAsked ? [silent.peerId, owner.peerId] : [silent.peerId])
    const got = await all(asker.fetcher.fetch(wants, { sources, signal: new AbortController().signal }))
    expect(got).toHaveLength(blocks.size)
    expect(got.every(({ from }) => from.equals(owner.peerId))).toBe(true)
  })

  test('that is silent and the only one is given up, and the fetch ends', async () => {
    const asked = Promise.withResolvers<void>()
    const silent = await startHostile(async () => asked.resolve())
    const clock = new TestClock()
    const asker = await start({ clock })
    const fetched = asker.fetch(wants, [silent])
    await asked.promise
    clock.advance(dialMs + silenceMs + idleFetchMs + 1)
    expect(await fetched).toEqual([])
    expect(silent.requests).toHaveLength(1)
  })

  test('that ends its stream after each answer is not opened again and again', async () => {
    const ending = await startHostile(async (digests, { frames }) => {
      for (const digest of digests) await frames.write(encodeAnswer(digest, undefined))
      await frames.close()
    })
    const clock = new TestClock()
    const asker = await start({ clock, limits: { blocks: { idleFetchMs: 1_000 } } })
    const open = (): unknown[] =>
      asker.host.getConnections().flatMap(({ streams }) => streams.filter(({ protocol }) => protocol === blocksId))
    const fetched = asker.fetch(wants.slice(0, 1), [ending])
    await eventually(() => ending.requests.length > 0 && open().length === 0)
    clock.advance(1_001)
    expect(await fetched).toEqual([])
    expect(ending.requests).toHaveLength(1)
  })

  test('that lacks everything makes room for those who are named behind it, where nobody gives anything', async () => {
    const startEmpty = async () => {
      const asked = Promise.withResolvers<void>()
      const member = await start()
      const read = member.stored.read.bind(member.stored)
      member.stored.read = async (digest) => {
        asked.resolve()
        return await read(digest)
      }
      return { member, asked: asked.promise }
    }
    const [first, second, third] = [await startEmpty(), await startEmpty(), await start()]
    const owner = await start({ blocks })
    const clock = new TestClock()
    const asker = await start({ clock, limits: { blocks: { sources: 2 } } })
    const fetched = asker.fetch(wants.slice(0, 10), [first.member, second.member, third, owner])
    await Promise.all([first.asked, second.asked])
    clock.advance(3_000)
    expect(await fetched).toHaveLength(10)
  })

  test('that cannot be reached is not dialled again and again', async () => {
    const gone = await startBlockMember({ members })
    await gone[Symbol.asyncDispose]()

    const asker = await start({ limits: quick })
    expect(await asker.fetch(wants, [gone])).toEqual([])
  })

  test('that lacks a block at first is asked for it again', async () => {
    const late = await start()
    const asker = await start({ limits: patient })
    const fetched = asker.fetch(wants, [late])
    setTimeout(() => {
      for (const [key, block] of blocks) late.stored.blocks.set(key, block)
    }, 50)
    expect(await fetched).toHaveLength(blocks.size)
  })

  test('that joins later is asked, too', async () => {
    const owner = await start({ blocks })
    const asker = await start({ limits: patient })
    let calls = 0
    const got: unknown[] = []
    const sources = () => (++calls > 2 ? [owner.peerId] : [])
    for await (const block of asker.fetcher.fetch(wants, { sources, signal: new AbortController().signal }))
      got.push(block)
    expect(got).toHaveLength(blocks.size)
  })

  test('that is this node itself is not asked', async () => {
    const asker = await start({ blocks, limits: quick })
    expect(await asker.fetch(wants, [asker])).toEqual([])
  })
})

describe('whoever fetches', () => {
  test('can end it with a signal, whose reason is thrown', async () => {
    const silent = await startHostile(async () => {})
    const asker = await start()
    const controller = new AbortController()
    const fetched = all(asker.fetcher.fetch(wants, { sources: () => [silent.peerId], signal: controller.signal }))
    controller.abort(new Error('enough'))
    await expect(fetched).rejects.toThrow('enough')
  })

  test('may take some and leave, and wants are taken only as they are needed', async () => {
    const owner = await start({ blocks })
    const asker = await start({ limits: { blocks: { lookAhead: 8 } } })
    let wanted = 0
    const lazily = function* () {
      for (const digest of wants) {
        wanted++
        yield digest
      }
    }
    for await (const block of asker.fetcher.fetch(lazily(), {
      sources: () => [owner.peerId],
      signal: new AbortController().signal
    })) {
      expect(block.from.equals(owner.peerId)).toBe(true)
      break
    }
    expect(wanted).toBeLessThan(40)
  })

  test('is told of wants that are none, and of those that cannot be told', async () => {
    const owner = await start({ blocks })
    const asker = await start()
    await expect(asker.fetch([other], [owner])).rejects.toThrow('32 bytes')
    const broken = function* () {
      yield* wants.slice(0, 2)
      throw new Error('the list ends here')
    }
    await expect(asker.fetch(broken(), [owner])).rejects.toThrow('the list ends here')
  })

  test('has fetches at the same time, each with all of its blocks', async () => {
    const owner = await start({ blocks })
    const asker = await start()
    const both = await Promise.all([asker.fetch(wants, [owner]), asker.fetch(wants, [owner])])
    expect(both.map((got) => got.length)).toEqual([blocks.size, blocks.size])
  })
})
