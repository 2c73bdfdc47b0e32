import { describe, expect, test } from 'vitest'
import { defaultLimits } from '../../../../src/protocols/engine/limits.ts'
import type { BlockMember, BlockMemberInit } from '../../../helpers/hosts/block-members.ts'
import { digestsOf, keyOf, makeBlocks, startBlockMember } from '../../../helpers/hosts/block-members.ts'
import type { Members } from '../../../helpers/hosts/members.ts'
import { TestClock } from '../../../helpers/real-network.ts'
import { disposeAfterTest } from '../../../helpers/vitest/dispose-after-test.ts'

const members: Members = new Map()

const start = async (init: Partial<BlockMemberInit> = {}): Promise<BlockMember> => {
  const member = await startBlockMember({ members, ...init })
  disposeAfterTest(member)
  return member
}

const half = (blocks: ReadonlyMap<string, Uint8Array>, rest: number): Map<string, Uint8Array> =>
  new Map([...blocks].filter((_, at) => at % 2 === rest))

describe('a fetch', () => {
  test('gives every block once, whatever its length, also where a digest is wanted twice', async () => {
    const blocks = new Map([
      ...makeBlocks(150),
      ...makeBlocks(2, 1_048_576),
      ...makeBlocks(3, 262_144),
      ...makeBlocks(1, 0)
    ])
    const owner = await start({ blocks })
    const asker = await start()
    const wants = digestsOf(blocks)
    const got = await asker.fetch([...wants, ...wants], [owner])
    expect(got.map(({ digest }) => keyOf(digest)).toSorted()).toEqual([...blocks.keys()].toSorted())
    expect(asker.stored.blocks).toEqual(blocks)
    // Some that are long were read among short ones, and again to be sent.
    expect(owner.stored.given).toBeLessThan(blocks.size + 6)
  })

  test('asks several sources, and others for what one lacks', async () => {
    const blocks = makeBlocks(400)
    const [even, odd] = [await start({ blocks: half(blocks, 0) }), await start({ blocks: half(blocks, 1) })]
    const asker = await start()
    expect(await asker.fetch(digestsOf(blocks), [even, odd])).toHaveLength(blocks.size)
    expect([even.stored.given, odd.stored.given]).toEqual([200, 200])
  })

  test('ends without what nobody has', async () => {
    const blocks = makeBlocks(10)
    const owner = await start({ blocks })
    const clock = new TestClock()
    const asker = await start({ clock })
    const wants = digestsOf(new Map([...blocks, ...makeBlocks(5)]))
    const options = { sources: () => [owner.peerId], signal: new AbortController().signal }
    let got = 0
    for await (const _ of asker.fetcher.fetch(wants, options))
      if (++got === 10) setImmediate(() => clock.advance(defaultLimits.blocks.idleFetchMs + 1))
    expect(got).toBe(10)
  })
})
