import { copyFileSync } from 'node:fs'
import type { Connection, Libp2p } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FrameStream } from '../../../../src/protocols/engine/frames.ts'
import { statuses } from '../../../../src/protocols/engine/status.ts'
import { SyncCursors, sync, syncId } from '../../../../src/protocols/sync/index.ts'
import { SyncFrame, SyncRequest } from '../../../../src/protocols/sync/pb/sync.ts'
import { sealRecord } from '../../../../src/registry/objects/record.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { ceilingMs } from '../../../helpers/ceiling.ts'
import { keyNumber, type RegistryHost, RegistryNetwork } from '../../../helpers/hosts/registries.ts'
import { connect, connectionWith, startPlainHost, withoutSockets } from '../../../helpers/hosts.ts'
import { aRecord, otherNetworkId } from '../../../helpers/signed-objects.ts'

withoutSockets()

let network: RegistryNetwork

beforeEach(() => {
  network = new RegistryNetwork()
})

afterEach(() => network[Symbol.asyncDispose]())

const pull = async (from: { host: Libp2p }, to: RegistryHost) =>
  await sync(await connect(to.host, from.host), to.registry, {
    limits: to.limits,
    logger: silentLogger,
    subscribe: false,
    records: true,
    cursors: new SyncCursors()
  })

const until = (what: () => unknown, timeout = 5_000) => expect.poll(what, { interval: 5, timeout })

const named = (name: string) => expect.objectContaining({ name })

async function openSync(connection: Connection, to: RegistryHost): Promise<FrameStream> {
  return new FrameStream(await connection.newStream(syncId), { maxFrame: 262_144, limits: to.limits.stream })
}

/** Sends raw bytes as a request and gives the status of the answer. */
async function statusOf(request: Uint8Array, connection: Connection, to: RegistryHost): Promise<number | undefined> {
  const frames = await openSync(connection, to)
  await frames.write(request)
  const answer = await frames.read({ signal: AbortSignal.timeout(ceilingMs) })
  await frames.close()
  return answer === undefined ? undefined : SyncFrame.decode(answer).start?.status
}

/** A follower's stream that a root keeps for what comes. */
async function subscribed() {
  const root = await network.startRoot(1)
  const follower = await network.startFollower(root, keyNumber(1))
  const frames = await openSync(await connect(follower.host, root.host), follower)
  const { networkId } = root.registry
  await frames.write(SyncRequest.encode({ version: 1, networkId, hash: networkId, subscribe: true }))
  await until(() => root.host.services.sync.subscribers).toBe(1)
  return { root, frames }
}

describe('a server of sync', () => {
  test('refuses what is no request, of a newer version, or for another network, with the status of each', async () => {
    const root = await network.startRoot(1)
    const follower = await network.startFollower(root, keyNumber(1))
    const connection = await connect(follower.host, root.host)
    const { networkId } = root.registry
    const ask = (request: Uint8Array) => statusOf(request, connection, follower)
    expect(await ask(Uint8Array.of(0x0a, 0xff))).toBe(statuses.MALFORMED)
    expect(await ask(SyncRequest.encode({ version: 2, networkId }))).toBe(statuses.UNSUPPORTED_VERSION)
    expect(await ask(SyncRequest.encode({ version: 1, networkId: otherNetworkId }))).toBe(statuses.WRONG_NETWORK)
    expect(await ask(SyncRequest.encode({ version: 1, networkId, digest: new Uint8Array(7) }))).toBe(statuses.MALFORMED)
    await expect(ask(new Uint8Array(60_000))).rejects.toThrow(/reset|closed|ended/)
  })

  test('tells a stranger that it is no member', async () => {
    const root = await network.startRoot(1)
    const follower = await network.startFollower(root, keyNumber(99))
    await expect(pull(root, follower)).rejects.toThrow(named('NotMemberError'))
    expect(follower.registry.replica.head.n).toBe(0)
  })

  test('refuses a peer that opens more streams than allowed in a minute', async () => {
    const root = await network.startRoot(1, { sync: { rate: { count: 3, perMs: 3_600_000 } } })
    const follower = await network.startFollower(root, keyNumber(1))
    for (let index = 0; index < 3; index++) await pull(root, follower)
    await expect(pull(root, follower)).rejects.toThrow(named('RateLimitedError'))
  })

  test('ends a subscription whose reader says something more', async () => {
    const { root, frames } = await subscribed()
    await frames.write(Uint8Array.of(1, 2, 3))
    expect(await frames.closed).toBeInstanceOf(Error)
    await until(() => root.host.services.sync.subscribers).toBe(0)
  })

  test('forgets a subscriber that ends its side in order', async () => {
    const { root, frames } = await subscribed()
    await frames.close()
    await until(() => root.host.services.sync.subscribers).toBe(0)
    expect(await frames.closed).toBeUndefined()
  })

  test('cuts a reader that takes nothing, and holds no more for it than its buffer', async () => {
    const root = await network.startRoot(4_000, { stream: { stallMs: 300 } })
    const follower = await network.startFollower(root, keyNumber(1))
    const connection = await connect(follower.host, root.host)
    const stream = await connection.newStream(syncId)
    const { networkId } = root.registry
    const request = SyncRequest.encode({ version: 1, networkId, hash: networkId, subscribe: true, records: true })
    stream.pause()
    stream.send(Uint8Array.of(request.length, ...request))
    const server = await connectionWith(root.host, follower.host)
    const buffered: number[] = []
    await until(() => {
      const [open] = server.streams.filter(({ protocol }) => protocol === syncId)
      if (open !== undefined) buffered.push(open.writeBufferLength)
      return open === undefined && buffered.length > 0
    }).toBe(true)
    expect(root.host.services.sync.subscribers).toBe(0)
    expect(Math.max(...buffered)).toBeLessThanOrEqual(root.limits.stream.writeBufferBytes)
    stream.abort(new Error('the test is over'))
  })
})

/** A host that speaks sync as the test wants. */
async function hostile(answer: (frames: FrameStream) => Promise<void>, to: RegistryHost) {
  const host = await startPlainHost()
  await host.handle(syncId, async (stream) => {
    const frames = new FrameStream(stream, { maxFrame: 65_536, limits: to.limits.stream })
    await frames.read()
    await answer(frames)
  })
  return { host, stop: () => host.stop() }
}

type Answer = (frames: FrameStream, root: RegistryHost) => Promise<void>

const start = SyncFrame.encode({ start: { status: 0, mode: 0, replicaAgeMs: 0, retryAfterMs: 0 } })
const startSnapshot = SyncFrame.encode({ start: { status: 0, mode: 1, replicaAgeMs: 0, retryAfterMs: 0 } })
const caughtUp = SyncFrame.encode({ caughtUp: true })

const entriesOf = ({ registry }: RegistryHost, afterN: number): Uint8Array[] =>
  registry.replica.read(afterN, 100_000).map(({ envelope }) => envelope)

const bent = (bytes: Uint8Array | undefined): Uint8Array =>
  Uint8Array.from(bytes ?? [], (byte, index) => (index === (bytes?.length ?? 0) - 1 ? byte ^ 1 : byte))

const answers: [string, string, Answer][] = [
  ['says nothing', 'DeadlineError', async () => {}],
  ['begins and then says nothing', 'DeadlineError', (frames) => frames.write(start)],
  [
    'ends before it has sent all',
    'StreamEndedError',
    async (frames) => {
      await frames.write(start)
      await frames.close()
    }
  ],
  ['does not begin with its start', 'MalformedFrameError', (frames) => frames.write(caughtUp)],
  [
    'begins twice',
    'MalformedFrameError',
    async (frames) => {
      await frames.write(start)
      await frames.write(start)
    }
  ],
  ['sends bytes that are no frame', 'MalformedFrameError', (frames) => frames.write(Uint8Array.of(0x0a, 0xff))],
  [
    'sends an entry with a wrong signature',
    'InvalidEnvelopeError',
    async (frames, root) => {
      await frames.write(start)
      await frames.write(SyncFrame.encode({ entries: [bent(entriesOf(root, 0)[0])] }))
    }
  ],
  [
    'leaves out entries',
    'LogMismatchError',
    async (frames, root) => {
      await frames.write(start)
      await frames.write(SyncFrame.encode({ entries: entriesOf(root, 2) }))
    }
  ],
  [
    'says that a snapshot is complete and it is not',
    'LogMismatchError',
    async (frames, { registry: { replica } }) => {
      await frames.write(startSnapshot)
      await frames.write(SyncFrame.encode({ checkpoint: replica.checkpoint?.bytes ?? new Uint8Array() }))
      const entries = replica.readLive(-1, 100_000, replica.head.n).map(({ envelope }) => envelope)
      await frames.write(SyncFrame.encode({ entries: entries.slice(0, -1) }))
      await frames.write(caughtUp)
    }
  ]
]

describe('a client of sync', () => {
  test.each(answers)('gives up on a server that %s: %s, and keeps nothing of it', async (_what, name, answer) => {
    const root = await network.startRoot(3)
    // Only those that say nothing are judged by time.
    const limits = name === 'DeadlineError' ? { sync: { progressMs: 300 } } : {}
    const follower = await network.startFollower(root, keyNumber(1), limits)
    const server = await hostile((frames) => answer(frames, root), follower)
    await expect(pull(server, follower)).rejects.toThrow(named(name))
    expect(follower.registry.replica.head.n).toBe(0)
    expect(follower.registry.records.count()).toBe(0)
    await server.stop()
  })

  test('keeps both sides of a second history as a proof, and follows neither', async () => {
    const root = await network.startRoot(3)
    const follower = await network.startFollower(root, keyNumber(1))
    await pull(root, follower)
    const twinPath = network.log.newPath()
    await root.registry.backup(`${twinPath}.copy`)
    copyFileSync(`${twinPath}.copy`, twinPath)
    // The log key is what was stolen; its holder has a node key of its own.
    const { logKey } = network.log
    const twin = await network.start({ path: twinPath, role: 'root', nodeKey: keyNumber(2), root: { logKey } })
    await network.admit(root, 4, 4)
    await network.admit(twin, 5, 6)
    await pull(root, follower)
    await expect(pull(twin, follower)).rejects.toThrow(named('ForkError'))
    expect(follower.registry.replica.isForked).toBe(true)
    expect(follower.registry.replica.forks().length).toBeGreaterThan(0)
  })

  test('a record of a key that is no member is left out, and the sync goes on', async () => {
    const root = await network.startRoot(3)
    const follower = await network.startFollower(root, keyNumber(1))
    await pull(root, follower)
    const { networkId } = root.registry
    const nobody = keyNumber(500)
    const record = sealRecord({ ...aRecord, networkId, publicKey: nobody.publicKey, seq: 1 }, nobody).bytes
    const server = await hostile(async (frames) => {
      await frames.write(start)
      await frames.write(SyncFrame.encode({ records: [record], caughtUp: true }))
    }, follower)
    expect(await pull(server, follower)).toMatchObject({ records: 0, caughtUp: true })
    await network.admit(root, 500, 500)
    await pull(root, follower)
    await until(() => follower.registry.records.get(nobody.publicKey)?.seq).toBe(1)
    await server.stop()
  })
})
