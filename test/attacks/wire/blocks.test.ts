import { describe, expect } from 'vitest'
import { encodeAnswer, encodeRequest } from '../../../src/protocols/blocks/messages.ts'
import { FrameStream } from '../../../src/protocols/engine/frames.ts'
import { defaultLimits, type LimitOverrides } from '../../../src/protocols/engine/limits.ts'
import {
  type BlockMember,
  digestsOf,
  keyOf,
  makeBlocks,
  startBlockMember,
  startHostileMember
} from '../../helpers/hosts/block-members.ts'
import type { Members } from '../../helpers/hosts/members.ts'
import { connect } from '../../helpers/hosts.ts'
import { networkId } from '../../helpers/signed-objects.ts'
import { disposeAfterTest } from '../../helpers/vitest/dispose-after-test.ts'
import { attack, control } from '../attack.ts'

const blockBytes = 256 * 1024
const id = '/trustnet/blocks/1.0.0'

const namedAt = ({ member }: BlockMember): string[] =>
  member.trust.culprits.counts.flatMap(({ limit, culprits }) => culprits.map(({ who }) => `${limit} ${who}`))

describe('a source that answers with other bytes', () => {
  /** One of two sources gives `answer` for each block; the other one comes when that has given something. */
  const fetchBeside = async (answer: (block: Uint8Array) => Uint8Array) => {
    const members: Members = new Map()
    const blocks = makeBlocks(64, 4_096)
    const first = Promise.withResolvers<void>()
    const source = await startHostileMember(members, async (digests, { frames }) => {
      for (const digest of digests) {
        await frames.write(encodeAnswer(digest, answer(blocks.get(keyOf(digest)) ?? new Uint8Array())))
      }
      first.resolve()
    })
    const owner = await startBlockMember({ members, blocks })
    const asker = await startBlockMember({ members })
    disposeAfterTest(source, owner, asker)
    let hasAnswered = false
    first.promise.then(
      () => (hasAnswered = true),
      () => {}
    )
    const sources = () => (hasAnswered ? [source.peerId, owner.peerId] : [source.peerId])
    let wrong = 0
    let got = 0
    const options = { sources, signal: new AbortController().signal }
    for await (const { digest, bytes } of asker.fetcher.fetch(digestsOf(blocks), options)) {
      got++
      if (!Buffer.from(bytes).equals(blocks.get(keyOf(digest)) ?? new Uint8Array())) wrong++
    }
    return { got, wrong, named: namedAt(asker), source: source.peerId.toString(), requests: source.requests.length }
  }

  attack('to put other content into the folder of somebody', async () => {
    const { got, wrong, named, source, requests } = await fetchBeside((block) => block.toReversed())
    expect([got, wrong]).toEqual([64, 0])
    expect(named).toEqual([`blocks.wrong ${source}`])
    return {
      happened: `asked ${requests} time, 0 of 64 blocks wrong, all 64 from somebody else; the source is named`,
      held: 'each block is checked against its digest'
    }
  })

  control('is asked on, and not named, where they are the right ones', async () => {
    const { got, wrong, named } = await fetchBeside((block) => block)
    expect([got, wrong, named]).toEqual([64, 0, []])
  })
})

describe('a member that asks on 64 streams for all there is, and reads nothing', () => {
  const streams = 64
  const requests = 4

  /** Gives the blocks that were read for it until its streams take no more, and those that an honest member was given beside it. */
  const ask = async (limits: LimitOverrides, most: number) => {
    const members: Members = new Map()
    const blocks = makeBlocks(64, blockBytes)
    const owner = await startBlockMember({ members, blocks, limits })
    const greedy = await startBlockMember({ members })
    const honest = await startBlockMember({ members })
    disposeAfterTest(owner, greedy, honest)
    const connection = await connect(greedy.host, owner.host)
    const enough = Promise.withResolvers<void>()
    const read = owner.stored.read.bind(owner.stored)
    owner.stored.read = async (digest) => {
      const block = await read(digest)
      if (owner.stored.given >= most) enough.resolve()
      return block
    }
    for (let stream = 0; stream < streams; stream++) {
      const opened = await connection.newStream(id, { maxOutboundStreams: streams })
      const frames = new FrameStream(opened, { maxFrame: 2 * blockBytes, limits: defaultLimits.stream })
      for (let request = 0; request < requests; request++) {
        await frames.write(encodeRequest(digestsOf(blocks), networkId)).catch(() => {})
      }
    }
    return { owner, honest, blocks, enough: enough.promise }
  }

  attack('holds two blocks, and its own windows', async () => {
    const { owner, honest, blocks } = await ask({}, Number.POSITIVE_INFINITY)
    const got = await honest.fetch(digestsOf(blocks), [owner])
    expect(got).toHaveLength(blocks.size)
    const read = owner.stored.given - got.length
    // Two blocks, and of each of two streams what the buffers of its reader and its window hold.
    expect(read).toBeLessThan(32)
    return {
      happened: `${streams} streams asked for ${streams * requests * blocks.size} blocks: ${read} were read; an honest member got its ${got.length}`,
      held: 'blocks.streams, blocks.untakenOfPeer'
    }
  })

  control('has as many read as its streams ask for where nobody counts what it has not taken', async () => {
    const plenty = { untakenOfPeer: 64, writeBufferBytes: 256 * blockBytes }
    const { enough, owner } = await ask({ blocks: plenty }, 60)
    await enough
    expect(owner.stored.given).toBeGreaterThanOrEqual(60)
  })
})
