import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { networkIdText } from '../src/identity/network-id.ts'
import type { Bench, Benchmark, Plan, Row } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import { liftedLimits } from './harness/network.ts'
import { networkFolder } from './harness/network-folder.ts'
import { measured } from './harness/rounds.ts'
import type { BlocksMethods } from './processes/content/blocks.ts'
import type { StoresMethods } from './processes/content/stores.ts'
import type { RootMethods } from './processes/root.ts'

type Node = Child<StoresMethods>

const mib = 1024 ** 2
const smallBytes = 4 * 1_024

export const stores: Benchmark = {
  name: 'stores',
  title: 'Stores',
  how: `Nodes of the product, each a process of its own, on one disk. "One file": from the moment in which a follower asks until it has all blocks of it, checked and
flushed; "written" is until its file is in a folder, too. Floor: as many bytes over one stream of bare libp2p, from memory to memory. "Files of 4 KiB": the owner shares the folder, and a
follower has its files; floor: the same importer, folder of blocks and writer in one process. "One byte": what all sockets of the owner send after one byte of the file was changed. "Ten
nodes" sync one store at once: what the owner sends, over the size of the store. "Heartbeats" and lookups of owner and follower at their registry, one every 20 ms over the session and connection that they have,
while the follower fetches the file and writes it to a folder; the worse of the two. Their floor is the same without a transfer.`,
  parameters: { mebibytes: 1_024, files: 10_000, swarm: 128, nodes: 10 },
  quick: { mebibytes: 8, files: 50, swarm: 4, nodes: 2 },

  async prepare(bench: Bench): Promise<Plan> {
    const { mebibytes = 0, files = 0, swarm = 0, nodes = 0 } = bench.parameters
    const root = new Child<RootMethods>('root')
    const bare = new Child<BlocksMethods>('content/blocks')
    const sink = new Child<BlocksMethods>('content/blocks')
    const owner: Node = new Child('content/stores')
    const askers: Node[] = Array.from({ length: nodes }, () => new Child('content/stores'))
    const [follower] = askers
    if (follower === undefined) throw new Error('no node was started')
    await startNodes(bench, root, [owner, ...askers])
    const address = await bare.call('startBare')
    let round = 0
    /** A name that nobody has seen, and a folder for it. */
    const fresh = (kind: string): { name: string; folder: string; to: string } => {
      const name = `${kind}-${++round}`
      return { name, folder: join(bench.folder, name), to: join(bench.folder, `${name}-copy`) }
    }
    return {
      warmUp: true,
      measures: [
        { name: 'bare', run: async () => await sink.call('receive', address, mebibytes * mib) },
        { name: 'file', run: async () => await oneFile(owner, follower, fresh('file'), mebibytes) },
        {
          name: 'files',
          run: async () => {
            const { name, folder, to } = fresh('small')
            await owner.call('write', folder, files, smallBytes)
            const added = await owner.call('add', folder, name)
            await follower.call('known', name)
            const seconds = added + (await follower.call('sync', name, to))
            await end(name, owner, [follower])
            return files / seconds
          }
        },
        {
          name: 'copy',
          run: async () => {
            const { folder, to } = fresh('copied')
            await owner.call('write', folder, files, smallBytes)
            return files / (await owner.call('copy', folder, to))
          }
        },
        {
          name: 'quiet',
          run: async () => worse(await Promise.all([owner.call('beat', 3_000), follower.call('beat', 3_000)]))
        },
        { name: 'during', run: async () => await beatsDuring(owner, follower, fresh('beats'), mebibytes) },
        { name: 'swarm', run: async () => await copiesSent(owner, askers, fresh('swarm'), swarm) }
      ],
      rows: rowsOf(bench.parameters),
      [Symbol.asyncDispose]: async () => await endAll([owner, ...askers, root, bare, sink])
    }
  }
}

async function startNodes(bench: Bench, root: Child<RootMethods>, nodes: readonly Node[]): Promise<void> {
  const folder = await networkFolder(bench, { members: 0, records: true, open: true })
  const { address, networkId } = await root.call('start', folder, liftedLimits)
  const home = join(folder, 'nodes')
  mkdirSync(home)
  const flags = { networkId: networkIdText(networkId), 'bootstrap.peers': [address] }
  for (const [number, node] of nodes.entries()) await node.call('start', home, `n${number}`, flags)
}

async function end(name: string, owner: Node, followers: readonly Node[]): Promise<void> {
  await Promise.all(followers.map(async (each) => await each.call('remove', name)))
  await owner.call('remove', name)
}

/** Shares a folder with one file, and waits until the follower knows of it. */
async function share(
  owner: Node,
  follower: Node,
  { name, folder }: { name: string; folder: string },
  mebibytes: number
): Promise<void> {
  await owner.call('write', folder, 1, mebibytes * mib)
  await owner.call('add', folder, name)
  await follower.call('known', name)
}

/** MiB per second of one file, until its blocks are there and until it is written; MiB for one changed byte; the most memory of both ends. */
async function oneFile(
  owner: Node,
  follower: Node,
  { name, folder, to }: { name: string; folder: string; to: string },
  mebibytes: number
): Promise<Record<string, number>> {
  await share(owner, follower, { name, folder }, mebibytes)
  await Promise.all([owner.peakRss(), follower.peakRss()])
  const fetched = await follower.call('sync', name)
  const [ownerBytes, followerBytes] = await Promise.all([owner.peakRss(), follower.peakRss()])
  const written = fetched + (await follower.call('sync', name, to))
  await owner.call('change', folder, mebibytes * mib)
  const before = await owner.call('sentBytes')
  await owner.call('sync', name)
  await follower.call('holds', name, 2)
  const changed = ((await owner.call('sentBytes')) - before) / mib
  await end(name, owner, [follower])
  return {
    fetched: mebibytes / fetched,
    written: mebibytes / written,
    changed,
    owner: ownerBytes / mib,
    follower: followerBytes / mib
  }
}

type Beats = Awaited<ReturnType<StoresMethods['beat']>>

/** The longer times of both ends, by name. */
const worse = (ends: readonly Beats[]): Record<string, number> => ({
  p50: Math.max(...ends.map(({ beats }) => beats.p50)),
  p99: Math.max(...ends.map(({ beats }) => beats.p99)),
  most: Math.max(...ends.map(({ beats }) => beats.most)),
  lookupP99: Math.max(...ends.map(({ lookups }) => lookups.p99))
})

/** Times of heartbeats and lookups of both ends while one of them fetches a file of the other and writes it to a folder. */
async function beatsDuring(
  owner: Node,
  follower: Node,
  { name, folder, to }: { name: string; folder: string; to: string },
  mebibytes: number
): Promise<Record<string, number>> {
  await share(owner, follower, { name, folder }, mebibytes)
  const ends = [owner, follower].map((each) => each.call('beat'))
  await follower.call('sync', name, to)
  await Promise.all([owner.call('stopBeats'), follower.call('stopBeats')])
  const times = worse(await Promise.all(ends))
  await end(name, owner, [follower])
  return times
}

async function copiesSent(
  owner: Node,
  askers: readonly Node[],
  { name, folder }: { name: string; folder: string },
  mebibytes: number
): Promise<number> {
  await owner.call('write', folder, 1, mebibytes * mib)
  await owner.call('add', folder, name)
  await Promise.all(askers.map(async (asker) => await asker.call('known', name)))
  const before = await owner.call('sentBytes')
  await Promise.all(askers.map(async (asker) => await asker.call('sync', name)))
  const copies = ((await owner.call('sentBytes')) - before) / mib / mebibytes
  await end(name, owner, askers)
  return copies
}

const rowsOf = ({ mebibytes = 0, files = 0, swarm = 0, nodes = 0 }: Readonly<Record<string, number>>): Row[] => [
  {
    ...measured('file.fetched', `one file of ${mebibytes} MiB between two nodes`),
    unit: 'MiB/s',
    floor: measured('bare', 'over a stream of bare libp2p'),
    beside: [
      measured('file.written', 'MiB/s until it is written'),
      measured('file.owner', 'MiB at most, owner'),
      measured('file.follower', 'MiB at most, follower')
    ],
    aim: { text: '≥ 60 % of the bare stream', met: (_, ratio) => ratio >= 0.6 }
  },
  {
    ...measured('files', `${files.toLocaleString('en-US')} files of 4 KiB, shared and followed`),
    unit: 'files/s',
    floor: measured('copy', 'without network'),
    aim: { text: '≥ 60 % of the floor', met: (_, ratio) => ratio >= 0.6 }
  },
  {
    ...measured('file.changed', `one byte changed in ${mebibytes} MiB: what the owner sends`),
    unit: 'MiB',
    aim: { text: '≤ 1 MiB', met: (figure) => figure <= 1 }
  },
  {
    ...measured('swarm', `${nodes} nodes that fetch ${swarm} MiB: copies that the owner sends`),
    unit: 'copies',
    aim: { text: '≤ 3', met: (figure) => figure <= 3 }
  },
  {
    ...measured('during.p99', `heartbeats of both ends while ${mebibytes} MiB are fetched and written: p99`),
    unit: 'ms',
    floor: measured('quiet.p99', 'without a transfer'),
    beside: [
      measured('during.p50', 'p50'),
      measured('during.most', 'the longest'),
      measured('during.lookupP99', 'p99 of lookups'),
      measured('quiet.lookupP99', 'p99 of lookups without a transfer')
    ],
    aim: { text: '< 50 ms', met: (figure) => figure < 50 }
  }
]
