import { setTimeout as pause } from 'node:timers/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2p, PeerId } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { sha256 } from '../../../src/identity/hash.ts'
import { defaults } from '../../../src/node/config/defaults.ts'
import { Gater } from '../../../src/node/host/gater.ts'
import { libp2pOptions } from '../../../src/node/host/libp2p.ts'
import { createLogging } from '../../../src/node/logging.ts'
import { BlockFetcher, blocksServer } from '../../../src/protocols/blocks/index.ts'
import { hostGuard } from '../../../src/protocols/engine/host-guard.ts'
import { defaultLimits as limits } from '../../../src/protocols/engine/limits.ts'
import { openStream, type ProtocolDescriptor, remoteKeyOf, serve } from '../../../src/protocols/engine/protocol.ts'
import { ConnectionTrust } from '../../../src/protocols/engine/trust/connection-trust.ts'
import { receiveBare, startBareServer } from '../../harness/members/bare-stream.ts'
import { serveMethods } from '../../harness/serve.ts'

/** A member with the options and guards of the product, which serves blocks and fetches them; and a bare host beside it. */
const networkId = new Uint8Array(32)
const blockBytes = 256 * 1024

/** A heartbeat on its way: as many bytes, over a stream of the engine. */
const beatProtocol: ProtocolDescriptor = {
  id: '/bench/beat/1.0.0',
  audience: 'members',
  maxInboundStreams: 4,
  maxOutboundStreams: 4,
  maxFrame: 1_024,
  maxAnswerFrame: 1_024,
  rate: { count: 100, perMs: 1_000 }
}
const beatBytes = 256
const beatEveryMs = 20

let host: Libp2p | undefined
let bare: Libp2p | undefined
let fetcher: BlockFetcher | undefined
/** Number of each block that there is, by digest, and those that are here. */
const numbers = new Map<string, number>()
const have = new Set<number>()
let sent = 0
let beating = new AbortController()

const keyOf = (digest: Uint8Array): string => Buffer.from(digest).toString('latin1')

/** Each block begins a little further on in the same bytes: they are in memory, as those of the floor are. */
const stepBytes = 64
const mostBlocks = 8_192
const memory = pattern(blockBytes + mostBlocks * stepBytes)

/** Bytes that are the same in each process, and nowhere repeat. */
function pattern(length: number): Uint8Array {
  const words = new Uint32Array(length / 4)
  for (let at = 0, word = 1; at < words.length; at++) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0
    words[at] = word
  }
  return new Uint8Array(words.buffer)
}

const blockOf = (number: number): Uint8Array => memory.subarray(number * stepBytes, number * stepBytes + blockBytes)

const reader = {
  read: async (digest: Uint8Array): Promise<Uint8Array | undefined> => {
    const number = numbers.get(keyOf(digest))
    if (number === undefined || !have.has(number)) return undefined
    sent++
    return blockOf(number)
  }
}

/** The parts of a host that are its own, and are used. */
interface Components {
  readonly registrar: Parameters<typeof serve>[0]['registrar']
  readonly transportManager: { getAddrs(): { toString(): string }[] }
}

const componentsOf = (of: Libp2p): Components =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- libp2p has them and does not show them
  (of as unknown as { components: Components }).components

async function startHost(): Promise<Libp2p> {
  const trust = new ConnectionTrust({ limits: limits.strangers, settleMs: limits.hello.settleMs })
  const logging = createLogging({ node: 'bench', level: 'warn', format: 'json' })
  const common = { trust, limits, logger: logging.logger }
  const started = await createLibp2p(
    libp2pOptions({
      privateKey: await generateKeyPair('Ed25519'),
      listen: ['/ip6/::1/tcp/0'],
      announce: () => [],
      gater: new Gater({ limits: { ...defaults.limits, connections: 1_000 } }),
      logger: logging.libp2p,
      limits: { dialTimeoutMs: 30_000, memberUpgradeTimeoutMs: 30_000 },
      services: { guard: hostGuard(common), blocks: blocksServer({ ...common, networkId, readers: [reader] }) }
    })
  )
  started.addEventListener('connection:open', ({ detail }) => {
    const publicKey = remoteKeyOf(detail)
    if (publicKey !== undefined) trust.prove(detail, { publicKey, name: 'bench', role: 'integrated' })
  })
  const { registrar } = componentsOf(started)
  await serve({ ...common, registrar }, beatProtocol, async ({ frames }) => {
    for await (const frame of frames) await frames.write(frame.slice())
  })
  fetcher = new BlockFetcher({
    ...common,
    networkId,
    self: started.peerId,
    connect: async (peer, signal) => {
      const [open] = started.getConnections(peer)
      return open ?? (await started.dial(peer, { signal }))
    }
  })
  return started
}

/** One after the other: so many handshakes at once are no part of what is measured. */
async function connectTo(addresses: string[]): Promise<PeerId[]> {
  const peers: PeerId[] = []
  for (const address of addresses) {
    if (host === undefined || address.endsWith(host.peerId.toString())) continue
    peers.push((await host.dial(multiaddr(address))).remotePeer)
  }
  return peers
}

const methods = {
  async start(): Promise<string> {
    host = await startHost()
    const [address] = componentsOf(host).transportManager.getAddrs()
    return `${address?.toString() ?? ''}/p2p/${host.peerId.toString()}`
  },

  async startBare(): Promise<string> {
    const { host: server, address } = await startBareServer()
    bare = server
    return address
  },

  /** Names so many blocks; the owner has them. */
  name(count: number, isOwner: boolean): void {
    numbers.clear()
    have.clear()
    sent = 0
    for (let number = 0; number < count; number++) {
      numbers.set(keyOf(sha256(blockOf(number))), number)
      if (isOwner) have.add(number)
    }
  },

  sent: (): number => sent,

  /** Fetches all blocks from these. Gives MiB per second. */
  async fetch(addresses: string[]): Promise<number> {
    const peers = await connectTo(addresses)
    const wants = [...numbers.keys()].map((key) => Uint8Array.from(Buffer.from(key, 'latin1')))
    have.clear()
    const from = performance.now()
    for await (const { digest } of fetcher?.fetch(wants, {
      sources: () => peers,
      signal: new AbortController().signal
    }) ?? []) {
      have.add(numbers.get(keyOf(digest)) ?? -1)
    }
    if (have.size !== numbers.size)
      throw new Error(`${numbers.size - have.size} of ${numbers.size} blocks did not come`)
    return (numbers.size * blockBytes) / 1024 ** 2 / ((performance.now() - from) / 1_000)
  },

  receive: receiveBare,

  async connect(addresses: string[]): Promise<void> {
    await connectTo(addresses)
  },

  stopBeats(): void {
    beating.abort()
  },

  /** Beats for so long, or until it is told to stop. Gives p50, p99 and the longest of their round trips, ms. */
  async beat(addresses: string[], ms = Number.POSITIVE_INFINITY): Promise<{ p50: number; p99: number; most: number }> {
    const took: number[] = []
    const ends = performance.now() + ms
    beating = new AbortController()
    const { signal } = beating
    await Promise.all(
      addresses.map(async (address) => {
        const connection = await host?.dial(multiaddr(address))
        if (connection === undefined) return
        const frames = await openStream(connection, beatProtocol, { limits })
        while (!signal.aborted && performance.now() < ends) {
          const from = performance.now()
          await frames.write(new Uint8Array(beatBytes).fill(1))
          await frames.read()
          took.push(performance.now() - from)
          await pause(beatEveryMs)
        }
        await frames.close()
      })
    )
    const sorted = took.toSorted((a, b) => a - b)
    const at = (part: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
    return { p50: at(0.5), p99: at(0.99), most: at(1) }
  }
}

export type BlocksMethods = typeof methods

serveMethods(methods, async () => {
  await fetcher?.[Symbol.asyncDispose]()
  await Promise.all([host?.stop(), bare?.stop()])
})
