import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { sha256 } from '../../../../src/identity/hash.ts'
import { blocksProtocol } from '../../../../src/protocols/blocks/descriptor.ts'
import { BlockAnswer, BlocksRequest } from '../../../../src/protocols/blocks/pb/blocks.ts'
import type { FrameStream } from '../../../../src/protocols/engine/frames.ts'
import { defaultLimits, limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { openStream } from '../../../../src/protocols/engine/protocol.ts'
import { statuses } from '../../../../src/protocols/engine/status.ts'
import type { Logger } from '../../../../src/runtime/clock-and-logger.ts'
import {
  type BlockMember,
  type BlockMemberInit,
  digestsOf,
  keyOf,
  MemoryBlocks,
  makeBlocks,
  startBlockMember
} from '../../../helpers/hosts/block-members.ts'
import type { Members } from '../../../helpers/hosts/members.ts'
import { connect, withoutSockets } from '../../../helpers/hosts.ts'
import { networkId, otherNetworkId } from '../../../helpers/signed-objects.ts'
import { disposeAfterTest } from '../../../helpers/vitest/dispose-after-test.ts'

withoutSockets()

const members: Members = new Map()

const start = async (init: Partial<BlockMemberInit> = {}): Promise<BlockMember> => {
  const member = await startBlockMember({ members, ...init })
  disposeAfterTest(member)
  return member
}

const open = async (from: BlockMember, to: BlockMember): Promise<FrameStream> =>
  await openStream(await connect(from.host, to.host), blocksProtocol(defaultLimits), { limits: limitsWith() })

const ask = (digests: Uint8Array[], change: Partial<BlocksRequest> = {}): Uint8Array =>
  BlocksRequest.encode({ version: 1, networkId, digests, ...change })

const answerOf = async (frames: FrameStream): Promise<BlockAnswer | undefined> => {
  const frame = await frames.read()
  return frame && BlockAnswer.decode(frame.slice())
}

const blocks = makeBlocks(3)
const wants = digestsOf(blocks)
const absent = sha256(Uint8Array.of(1))

describe('blocks over the wire', () => {
  test('are given in frames of their own, and those that are not here are called absent, request after request', async () => {
    const [owner, asker] = [await start({ blocks }), await start()]
    const frames = await open(asker, owner)
    for (let request = 0; request < 2; request++) {
      await frames.write(ask([...wants, absent]))
      const answers = new Map<string, BlockAnswer>()
      while (answers.size < 4) {
        const answer = await answerOf(frames)
        if (answer === undefined) throw new Error('the stream ended')
        answers.set(keyOf(answer.digest), answer)
      }
      expect(answers.get(keyOf(absent))).toMatchObject({ status: statuses.OK, absent: true, bytes: new Uint8Array() })
      for (const [key, bytes] of blocks) expect(answers.get(key)).toMatchObject({ absent: false, bytes })
    }
    await frames.close()
  })

  test('come from the first reader that has them; one that fails is passed over and said in the log', async () => {
    const lines: string[] = []
    const logger: Logger = { debug() {}, info: (_, text) => lines.push(text), warn() {}, error() {} }
    const broken = {
      read: async () => {
        throw new Error('the disk is broken')
      }
    }
    const owner = await start({ logger, readers: [broken, new MemoryBlocks(blocks)] })
    const asker = await start()
    expect(await asker.fetch(wants, [owner])).toHaveLength(3)
    expect(lines[0]).toContain('could not be read here')
  })

  test('of a reader that are longer than a block may be are absent', async () => {
    const long = new Map([[keyOf(absent), new Uint8Array(1_048_577)]])
    const [owner, asker] = [await start({ blocks: long }), await start()]
    const frames = await open(asker, owner)
    await frames.write(ask([absent]))
    expect(await answerOf(frames)).toMatchObject({ absent: true })
  })
})

describe('short blocks', () => {
  test('are read and sent several at a time once a request was for short ones, and long ones one by one', async () => {
    const short = makeBlocks(16, 4_096)
    const long = makeBlocks(3, 262_144)
    let reading = 0
    let most = 0
    const slow = new MemoryBlocks(new Map([...blocks, ...short, ...long]))
    const read = async (digest: Uint8Array): Promise<Uint8Array | undefined> => {
      most = Math.max(most, ++reading)
      await nextTurn()
      reading--
      return await slow.read(digest)
    }
    const [owner, asker] = [await start({ readers: [{ read }] }), await start()]
    const frames = await open(asker, owner)
    const ofAll = async (digests: Uint8Array[]): Promise<number> => {
      most = 0
      await frames.write(ask(digests))
      for (const _ of digests) expect(await answerOf(frames)).toMatchObject({ absent: false })
      return most
    }
    const { untakenOfPeer } = defaultLimits.blocks
    expect(await ofAll(digestsOf(short))).toBe(untakenOfPeer)
    expect(await ofAll(digestsOf(short))).toBe(16)
    expect(await ofAll(digestsOf(new Map([...short, ...long])))).toBe(16)
    expect(await ofAll(digestsOf(short))).toBe(untakenOfPeer)
    await frames.close()
  })
})

describe('a request', () => {
  test.each([
    ['for nothing', ask([]), statuses.MALFORMED],
    ['for more than 64', ask(Array.from({ length: 65 }, () => absent)), statuses.MALFORMED],
    ['for a digest of another length', ask([absent.subarray(1)]), statuses.MALFORMED],
    ['that is no message', Uint8Array.of(255, 255), statuses.MALFORMED],
    ['of a newer version', ask([absent], { version: 2 }), statuses.UNSUPPORTED_VERSION],
    ['in another network', ask([absent], { networkId: otherNetworkId }), statuses.WRONG_NETWORK]
  ])('%s is refused, and ends the stream', async (_, request, status) => {
    const [owner, asker] = [await start({ blocks }), await start()]
    const frames = await open(asker, owner)
    await frames.write(request)
    expect(await answerOf(frames)).toMatchObject({ status })
    expect(await frames.read()).toBeUndefined()
  })

  test('longer than any may be is cut at its length', async () => {
    const [owner, asker] = [await start({ blocks }), await start()]
    const frames = await open(asker, owner)
    await frames.write(new Uint8Array(defaultLimits.blocks.requestBytes + 1))
    await expect(frames.read()).rejects.toThrow(/reset|closed/i)
  })

  test('of a stranger is refused', async () => {
    const [owner, stranger] = [await start({ blocks }), await start({ role: 'stranger' })]
    const frames = await open(stranger, owner)
    expect(await answerOf(frames)).toMatchObject({ status: statuses.NOT_MEMBER })
  })

  test('that does not come ends the stream', async () => {
    const [owner, asker] = [await start({ blocks, limits: { blocks: { idleMs: 50 } } }), await start()]
    const frames = await open(asker, owner)
    await expect(frames.read()).rejects.toThrow(/reset|closed/i)
  })
})

describe('what a peer is sent', () => {
  test('beyond its bytes waits, and those of others do not', async () => {
    const perHour = 3_600_000
    const many = makeBlocks(20, 8_192)
    const owner = await start({ blocks: many, limits: { blocks: { ofPeer: { count: 80, perMs: perHour } } } })
    const [greedy, other] = [await start(), await start()]
    const frames = await open(greedy, owner)
    await frames.write(ask(digestsOf(many)))
    for (let answer = 0; answer < 9; answer++) expect(await answerOf(frames)).toMatchObject({ absent: false })
    const rest = await open(other, owner)
    await rest.write(ask(digestsOf(many).slice(0, 2)))
    expect([await answerOf(rest), await answerOf(rest)]).toMatchObject([{ absent: false }, { absent: false }])
    expect(owner.stored.given).toBeLessThan(15)
  })
})
