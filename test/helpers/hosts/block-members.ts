import { randomBytes } from 'node:crypto'
import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { sha256 } from '../../../src/identity/hash.ts'
import { blocksProtocol } from '../../../src/protocols/blocks/descriptor.ts'
import { type Block, BlockFetcher, type BlockReader, blocksServer } from '../../../src/protocols/blocks/index.ts'
import { readRequest } from '../../../src/protocols/blocks/messages.ts'
import { type LimitOverrides, limitsWith } from '../../../src/protocols/engine/limits.ts'
import { type Exchange, type Served, serve } from '../../../src/protocols/engine/protocol.ts'
import type { Clock, Logger } from '../../../src/runtime/clock-and-logger.ts'
import { networkId } from '../signed-objects.ts'
import { type MemberHost, type Members, startMember } from './members.ts'

export const keyOf = (digest: Uint8Array): string => Buffer.from(digest).toString('hex')

/** Random blocks of that length, by digest in hex. */
export const makeBlocks = (count: number, bytes = 1_024): Map<string, Uint8Array> =>
  new Map(
    Array.from({ length: count }, () => {
      const block = Uint8Array.from(randomBytes(bytes))
      return [keyOf(sha256(block)), block]
    })
  )

export const digestsOf = (blocks: ReadonlyMap<string, Uint8Array>): Uint8Array[] =>
  [...blocks.keys()].map((key) => Uint8Array.from(Buffer.from(key, 'hex')))

/** Blocks in memory, which count how often each was asked for. */
export class MemoryBlocks implements BlockReader {
  readonly blocks: Map<string, Uint8Array>
  readonly reads = new Map<string, number>()

  constructor(blocks: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.blocks = new Map(blocks)
  }

  async read(digest: Uint8Array): Promise<Uint8Array | undefined> {
    const key = keyOf(digest)
    const block = this.blocks.get(key)
    if (block !== undefined) this.reads.set(key, (this.reads.get(key) ?? 0) + 1)
    return block
  }

  /** Blocks that were given, those given twice counted twice. */
  get given(): number {
    return [...this.reads.values()].reduce((sum, each) => sum + each, 0)
  }
}

export interface BlockMember extends AsyncDisposable {
  readonly host: Libp2p
  readonly peerId: PeerId
  readonly member: MemberHost<{ blocks: unknown }>
  readonly stored: MemoryBlocks
  readonly fetcher: BlockFetcher
  /** Fetches, and stores what it is given. */
  fetch(wants: Iterable<Uint8Array>, sources: readonly { peerId: PeerId }[]): Promise<Block[]>
}

/** A member whose answers are those of a test. */
export interface HostileMember extends AsyncDisposable {
  readonly peerId: PeerId
  /** Requests that it was sent. */
  readonly requests: Uint8Array[][]
}

export interface BlockMemberInit {
  members: Members
  blocks?: ReadonlyMap<string, Uint8Array>
  readers?: readonly BlockReader[]
  limits?: LimitOverrides
  clock?: Clock
  logger?: Logger
  rttMs?: () => number | undefined
  role?: 'integrated' | 'stranger'
}

/** The addresses of hosts, as a node has them in its records. */
const addresses = new Map<string, Libp2p>()

/** One that gives whatever `answer` writes for each request. */
export async function startHostileMember(
  members: Members,
  answer: (digests: Uint8Array[], exchange: Exchange) => Promise<void>
): Promise<HostileMember> {
  const limits = limitsWith()
  const requests: Uint8Array[][] = []
  const member = await startMember<{ blocks: unknown }>({
    members,
    services: ({ trust }) => ({
      blocks: ({ registrar }: { registrar: Registrar }) => {
        const served = Promise.withResolvers<Served>()
        return {
          start: async () => {
            served.resolve(
              await serve({ registrar, trust, limits }, blocksProtocol(limits), async (exchange) => {
                for await (const frame of exchange.frames) {
                  const { digests } = readRequest(frame.slice(), networkId, limits.blocks)
                  requests.push(digests)
                  await answer(digests, exchange)
                }
              })
            )
          },
          stop: async () => await (await served.promise).close()
        }
      }
    })
  })
  const { host } = member
  addresses.set(host.peerId.toString(), host)
  return {
    peerId: host.peerId,
    requests,
    [Symbol.asyncDispose]: async () => {
      await member[Symbol.asyncDispose]()
      addresses.delete(host.peerId.toString())
    }
  }
}

/** A member that serves blocks and fetches them. */
export async function startBlockMember(init: BlockMemberInit): Promise<BlockMember> {
  const limits = limitsWith(init.limits)
  const stored = new MemoryBlocks(init.blocks)
  const common = {
    networkId,
    limits,
    ...(init.clock !== undefined && { clock: init.clock }),
    ...(init.logger !== undefined && { logger: init.logger })
  }
  const member = await startMember<{ blocks: unknown }>({
    members: init.members,
    role: init.role ?? 'integrated',
    services: ({ trust }) => ({
      blocks: blocksServer({ ...common, trust, readers: [...(init.readers ?? []), stored] })
    })
  })
  const { host, trust } = member
  addresses.set(host.peerId.toString(), host)
  const fetcher = new BlockFetcher({
    ...common,
    ...(init.rttMs !== undefined && { rttMs: init.rttMs }),
    self: host.peerId,
    trust,
    connect: async (peer, signal) => {
      const open = host.getConnections(peer)[0]
      const addrs = addresses.get(peer.toString())?.getMultiaddrs() ?? []
      return open ?? (await host.dial(addrs, { signal }))
    }
  })
  return {
    host,
    peerId: host.peerId,
    member,
    stored,
    fetcher,
    fetch: async (wants, sources) => {
      const blocks: Block[] = []
      const peers = sources.map(({ peerId }) => peerId)
      for await (const block of fetcher.fetch(wants, { sources: () => peers, signal: new AbortController().signal })) {
        stored.blocks.set(keyOf(block.digest), block.bytes)
        blocks.push(block)
      }
      return blocks
    },
    [Symbol.asyncDispose]: async () => {
      await fetcher[Symbol.asyncDispose]()
      await member[Symbol.asyncDispose]()
      addresses.delete(host.peerId.toString())
    }
  }
}
