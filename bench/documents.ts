import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { networkIdText } from '../src/identity/network-id.ts'
import type { Bench, Benchmark, Plan, Row } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import { liftedLimits } from './harness/network.ts'
import { networkFolder } from './harness/network-folder.ts'
import { measured } from './harness/rounds.ts'
import { quantile } from './harness/spread.ts'
import type { DocumentsMethods } from './processes/content/documents.ts'
import type { RootMethods } from './processes/root.ts'

const checkedBytes = 4 * 1_024
const pushedBytes = 64 * 1_024
/** Nodes of the product share processes: each of its own would be measured by its memory. */
const processes = 4
const secondMs = 1_000
const id = 'plan'

export const documents: Benchmark = {
  name: 'documents',
  title: 'Documents',
  how: `"Check": all contents of a store are read and hashed, as after each start, in pieces between other work. Floor: the same rows by the same
statement, each hashed by Node, without a pause. "Push": the root publishes a document of 64 KiB; the time runs from before that until a node has the entry, has fetched the bytes from
any member and has them in its store. The nodes are whole ones of the product, external, in four processes on the machine of the root.`,
  parameters: { documents: 10_000, nodes: 100, changes: 10 },
  quick: { documents: 50, nodes: 4, changes: 2 },

  async prepare(bench: Bench): Promise<Plan> {
    const { documents: count = 0, nodes = 0, changes = 0 } = bench.parameters
    const store = new Child<DocumentsMethods>('content/documents')
    bench.progress(`publishing ${count} documents`)
    await store.call('fill', await networkFolder(bench, { members: 0, records: true, open: true }), count, checkedBytes)
    const root = new Child<RootMethods>('root')
    const parts = Array.from(
      { length: Math.min(processes, nodes) },
      () => new Child<DocumentsMethods>('content/documents')
    )
    await startNodes(bench, root, parts)
    let version = 0
    const pushed = async (): Promise<Record<string, number>> => {
      const delays: number[] = []
      for (let change = 0; change < changes; change++) {
        version++
        const held = parts.map((part) => part.call('held', id, version))
        const from = await root.call('publishDocument', id, pushedBytes)
        for (const at of (await Promise.all(held)).flat()) delays.push(at - from)
      }
      const inTime = delays.filter((ms) => ms <= secondMs).length
      return { p50: quantile(delays, 0.5), last: Math.max(...delays), share: (100 * inTime) / delays.length }
    }
    return {
      warmUp: true,
      measures: [
        { name: 'check', run: async () => await store.call('check') },
        { name: 'hash', run: async () => await store.call('hash') },
        { name: 'push', run: pushed }
      ],
      rows: rowsOf(count, nodes),
      [Symbol.asyncDispose]: () => endAll([store, root, ...parts])
    }
  }
}

async function startNodes(
  bench: Bench,
  root: Child<RootMethods>,
  parts: readonly Child<DocumentsMethods>[]
): Promise<void> {
  const { nodes = 0 } = bench.parameters
  const folder = await networkFolder(bench, { members: 0, records: true, open: true })
  const { address, networkId } = await root.call('start', folder, { ...liftedLimits, 'limits.peersWanted': 0 })
  const home = join(folder, 'nodes')
  mkdirSync(home)
  const flags = {
    role: 'external',
    networkId: networkIdText(networkId),
    'bootstrap.peers': [address],
    'limits.peersWanted': 0
  }
  bench.progress(`starting ${nodes} nodes`)
  const share = Math.ceil(nodes / parts.length)
  await Promise.all(
    parts.map(
      async (part, at) => await part.call('startNodes', home, at * share, Math.min((at + 1) * share, nodes), flags)
    )
  )
}

const rowsOf = (count: number, nodes: number): Row[] => [
  {
    ...measured('check', `check of ${count.toLocaleString('en-US')} documents of 4 KiB`),
    unit: 's',
    floor: measured('hash', 's of reading and hashing alone'),
    aim: { text: '< 2 s', met: (figure) => figure < 2 }
  },
  {
    ...measured('push.last', `push of a document to ${nodes} nodes: until the last has it`),
    unit: 'ms',
    beside: [measured('push.p50', 'p50 ms'), measured('push.share', '% within 1 s')],
    aim: { text: '100 % within 1 s', met: (figure) => figure <= secondMs }
  }
]
