import type { Bench, Benchmark, Plan, Row } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import { measured } from './harness/rounds.ts'
import type { BlocksMethods } from './processes/content/blocks.ts'

/** As processes/content/blocks.ts makes them. */
const blockBytes = 256 * 1024
const blocksOf = (mebibytes: number): number => (mebibytes * 1024 ** 2) / blockBytes
const nodes = 10

export const blocks: Benchmark = {
  name: 'blocks',
  title: 'Blocks between members',
  how: `Blocks of 256 KiB from the memory of one process into another one, with the options and guards of the product, checked and counted. Floor: as
many bytes over one stream of bare libp2p. "Heartbeats": 256 bytes back and forth every 20 ms over a stream of the engine, between a third process and both ends of the
transfer; the floor is the same without one. "Ten nodes" fetch the same blocks at once, each a process of its own: the blocks that their owner sent, over those that there are.`,
  parameters: { mebibytes: 1_024, swarm: 128 },
  quick: { mebibytes: 32, swarm: 16 },

  async prepare(bench: Bench): Promise<Plan> {
    const { mebibytes = 0, swarm = 0 } = bench.parameters
    const owner = new Child<BlocksMethods>('content/blocks')
    const third = new Child<BlocksMethods>('content/blocks')
    const askers = Array.from({ length: nodes }, () => new Child<BlocksMethods>('content/blocks'))
    const address = await owner.call('start')
    await third.call('start')
    const addresses = await Promise.all(askers.map(async (asker) => await asker.call('start')))
    const bare = await owner.call('startBare')
    const [first] = askers
    const [firstAddress] = addresses
    if (first === undefined || firstAddress === undefined) throw new Error('no node was started')
    const name = async (count: number, of: readonly Child<BlocksMethods>[]): Promise<void> => {
      await owner.call('name', count, true)
      await Promise.all(of.map(async (asker) => await asker.call('name', count, false)))
    }
    return {
      warmUp: true,
      measures: [
        { name: 'bare', run: async () => await first.call('receive', bare, mebibytes * 1024 ** 2) },
        {
          name: 'transfer',
          run: async () => {
            await name(blocksOf(mebibytes), [first])
            return await first.call('fetch', [address])
          }
        },
        { name: 'quiet', run: async () => await third.call('beat', [address, firstAddress], 3_000) },
        {
          name: 'beats',
          run: async () => {
            await name(blocksOf(mebibytes), [first])
            const beats = third.call('beat', [address, firstAddress])
            await first.call('fetch', [address])
            await third.call('stopBeats')
            return await beats
          }
        },
        {
          name: 'swarm',
          run: async () => {
            await name(blocksOf(swarm), askers)
            await Promise.all(askers.map(async (asker) => await asker.call('connect', [address, ...addresses])))
            await Promise.all(askers.map(async (asker) => await asker.call('fetch', [address, ...addresses])))
            return (await owner.call('sent')) / blocksOf(swarm)
          }
        }
      ],
      rows: rowsOf(mebibytes, swarm),
      [Symbol.asyncDispose]: async () => await endAll([owner, third, ...askers])
    }
  }
}

const rowsOf = (mebibytes: number, swarm: number): Row[] => [
  {
    ...measured('transfer', `${mebibytes} MiB between two members`),
    unit: 'MiB/s',
    floor: measured('bare', 'over a stream of bare libp2p'),
    aim: { text: '≥ 60 % of the bare stream', met: (_, ratio) => ratio >= 0.6 }
  },
  {
    ...measured('beats.p99', 'heartbeats during a transfer: p99'),
    unit: 'ms',
    floor: measured('quiet.p99', 'without one'),
    beside: [measured('beats.p50', 'p50'), measured('beats.most', 'the longest')],
    aim: { text: '< 50 ms', met: (figure) => figure < 50 }
  },
  {
    ...measured('swarm', `ten nodes that fetch ${swarm} MiB: copies that the owner sends`),
    unit: 'copies',
    aim: { text: '≤ 3', met: (figure) => figure <= 3 }
  }
]
