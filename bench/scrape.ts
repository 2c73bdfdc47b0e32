import type { Bench, Benchmark, Plan } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import { liftedLimits } from './harness/network.ts'
import { networkFolder } from './harness/network-folder.ts'
import { measured } from './harness/rounds.ts'
import type { RootMethods } from './processes/root.ts'

export const scrape: Benchmark = {
  name: 'scrape',
  title: 'Scrape of /metrics',
  how: `CPU (user and system) of a root with so many members and records for one answer of \`/metrics\`, of several one after the other. Nobody has a
session, so that the state of each member is looked for in all places. Floor: prom-client alone writes the same lines.`,
  parameters: { members: 10_000, scrapes: 20 },
  quick: { members: 64, scrapes: 2 },

  async prepare(bench: Bench): Promise<Plan> {
    const { members = 0, scrapes = 0 } = bench.parameters
    const root = new Child<RootMethods>('root')
    const folder = await networkFolder(bench, { members, records: true })
    await root.call('start', folder, { ...liftedLimits, 'http.listen': '[::1]:0' })
    const shown = members.toLocaleString('en-US')
    return {
      warmUp: true,
      measures: [
        { name: 'scrape', run: async () => ({ ...(await root.call('scrape', scrapes)) }) },
        { name: 'render', run: () => root.call('render', scrapes) }
      ],
      rows: [
        {
          what: `a root with ${shown} members`,
          unit: 'ms of CPU',
          of: measured('scrape.cpuMs').of,
          floor: measured('render', 'ms to write the lines'),
          beside: [measured('scrape.bytes', 'bytes')],
          aim: { text: '< 50 ms', met: (figure) => figure < 50 }
        }
      ],
      [Symbol.asyncDispose]: () => endAll([root])
    }
  }
}
