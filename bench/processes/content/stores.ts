import { randomBytes } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import { createWriteStream, mkdirSync } from 'node:fs'
import { mkdir, open, rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { BlockFolder } from '../../../src/content/block-folder.ts'
import { exportFolder } from '../../../src/content/export-folder.ts'
import { fetchContent } from '../../../src/content/fetch-content.ts'
import { importFolder } from '../../../src/content/import-folder.ts'
import { createLogging } from '../../../src/node/logging.ts'
import { TrustNode } from '../../../src/node/node.ts'
import { LookupStream } from '../../../src/protocols/lookup/index.ts'
import { benchConfig, type Flags } from '../../harness/network.ts'
import { serveMethods } from '../../harness/serve.ts'
import { quantile } from '../../harness/spread.ts'

/** A node of the product that shares folders and follows those of others; and the same work without a network. */
let node: TrustNode | undefined
const pieceBytes = 1024 ** 2
const filesOfFolder = 100
const patienceMs = 900_000
const pauseMs = 50
const quotaBytes = 2 ** 40
const beatEveryMs = 20
let beating = new AbortController()

/** How long a question took, ms. */
interface Took {
  readonly p50: number
  readonly p99: number
  readonly most: number
}

/** Bytes that every socket of this process has sent. */
const sockets = new Set<Socket>()
let closedBytes = 0
const watch = (message: unknown): void => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the message of these channels
  const { socket } = message as { socket: Socket }
  sockets.add(socket)
  socket.once('close', () => {
    sockets.delete(socket)
    closedBytes += socket.bytesWritten
  })
}
subscribe('net.client.socket', watch)
subscribe('net.server.socket', watch)

const running = (): TrustNode => {
  if (node === undefined) throw new Error('the node was not started')
  return node
}

const patience = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(patienceMs) })

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return (performance.now() - from) / 1_000
}

/** Asks again and again, with a pause behind each answer, until `stopBeats` or for so long. */
async function asked(ask: () => Promise<unknown>, ms: number): Promise<Took> {
  const took: number[] = []
  const ends = performance.now() + ms
  while (!beating.signal.aborted && performance.now() < ends) {
    took.push(await secondsOf(ask))
    await pause(beatEveryMs)
  }
  const at = (part: number): number => 1_000 * quantile(took, part)
  return { p50: at(0.5), p99: at(0.99), most: at(1) }
}

/** Imports a folder, brings its blocks from one folder of blocks into another one, and writes its files. */
async function copy(folder: string, work: string): Promise<void> {
  const { signal } = new AbortController()
  const [from, to] = await Promise.all(
    ['from', 'to'].map(
      async (name) => await BlockFolder.open({ folder: join(work, name), quotaBytes: () => quotaBytes })
    )
  )
  if (from === undefined || to === undefined) throw new Error('no folders')
  const { root } = await importFolder({
    folder,
    put: async ({ digest, bytes }) => await from.put(digest, bytes),
    symlinks: 'refuse',
    signal
  })
  await from.flush()
  await fetchContent(root, to, async function* (wants) {
    for await (const digest of wants) {
      const bytes = await from.read(digest)
      if (bytes !== undefined) yield { digest, bytes }
    }
  })
  await to.flush()
  const read = async (digest: Uint8Array): Promise<Uint8Array | undefined> => await to.read(digest)
  await exportFolder({ root, read, target: join(work, 'target'), symlinks: 'refuse', signal })
}

const methods = {
  async start(folder: string, name: string, flags: Flags): Promise<void> {
    const config = benchConfig(folder, name, { 'stores.quotaBytes': quotaBytes, ...flags })
    const output = createWriteStream(join(folder, `${name}.log`))
    const logging = createLogging({ node: config.name, level: 'warn', format: 'json', output })
    node = new TrustNode({ config, logging, control: false })
    await node.start()
    await node.joined(patience())
  },

  /** Writes so many files of that many bytes, at most a hundred to a folder. */
  async write(folder: string, files: number, bytes: number): Promise<void> {
    for (let number = 0; number < files; number++) {
      const path = join(folder, `${Math.floor(number / filesOfFolder)}`, `${number}`)
      await mkdir(dirname(path), { recursive: true })
      await using file = await open(path, 'w')
      for (let left = bytes; left > 0; left -= pieceBytes) await file.write(randomBytes(Math.min(left, pieceBytes)))
    }
  },

  /** Changes one byte in the middle of the first file. */
  async change(folder: string, bytes: number): Promise<void> {
    await using file = await open(join(folder, '0', '0'), 'r+')
    const at = Math.floor(bytes / 2)
    const { buffer } = await file.read({ buffer: Buffer.alloc(1), position: at })
    await file.write(Buffer.of((buffer[0] ?? 0) ^ 1), 0, 1, at)
  },

  /** Seconds until others can fetch the folder. */
  add: async (folder: string, name: string): Promise<number> =>
    await secondsOf(async () => await running().stores.add(folder, { name, ...patience() })),

  /** Seconds until the version of now is here, with its files in a folder where one is named; of an own one until it was read again. */
  sync: async (store: string, to?: string): Promise<number> =>
    await secondsOf(
      async () => await running().stores.sync(store, to === undefined ? patience() : { to, ...patience() })
    ),

  /** Resolves when this node knows of the store. */
  async known(name: string): Promise<void> {
    const { signal } = patience()
    while (!(await running().stores.find({ signal })).some((row) => row.name === name)) await pause(pauseMs)
  },

  /** Resolves when this node, which follows the store, has that version. */
  async holds(name: string, seq: number): Promise<void> {
    const { stores, events } = running()
    const isHeld = (): boolean => stores.list().some((row) => row.name === name && row.heldSeq === seq)
    await events.until(isHeld, patience().signal)
  },

  async remove(store: string): Promise<void> {
    await running().stores.remove(store)
  },

  /** Heartbeats and lookups of this node at its registry, over its own session and connection, beside whatever else it does. */
  async beat(ms = Number.POSITIVE_INFINITY): Promise<{ beats: Took; lookups: Took }> {
    const { network, key } = running()
    const view = network?.session
    if (network === undefined || view === undefined) throw new Error('the node has no session')
    const seq = network.selfRecord.current?.value.seq ?? 0
    beating = new AbortController()
    const { networkId } = network.registry
    await using lookups = await LookupStream.open(view.peer.connection, { networkId, limits: network.limits })
    const [beats, looks] = await Promise.all([
      asked(async () => await view.session.heartbeat({ seq }), ms),
      asked(async () => await lookups.ask({ publicKey: key.publicKey }), ms)
    ])
    return { beats, lookups: looks }
  },

  stopBeats(): void {
    beating.abort()
  },

  sentBytes: (): number => [...sockets].reduce((sum, { bytesWritten }) => sum + bytesWritten, closedBytes),

  /** Seconds for the same import, stream of blocks and writer, in this process. */
  async copy(folder: string, work: string): Promise<number> {
    mkdirSync(work)
    try {
      return await secondsOf(async () => await copy(folder, work))
    } finally {
      await rm(work, { recursive: true })
    }
  }
}

export type StoresMethods = typeof methods

serveMethods(methods, async () => {
  await node?.stop('the benchmark is over')
})
