import { Authority } from '../src/dns/authority.ts'
import { Zone } from '../src/dns/zone.ts'
import { dataFiles } from '../src/node/config/paths.ts'
import type { Bench, Benchmark, Plan, Row } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import { benchConfig, liftedLimits, rootName } from './harness/network.ts'
import { networkFolder } from './harness/network-folder.ts'
import { measured } from './harness/rounds.ts'
import type { FloorsMethods } from './processes/floors.ts'
import type { ResolvingMethods } from './processes/resolving.ts'
import type { RootMethods } from './processes/root.ts'

const domain = 'bench.test'
const registries = ['2001:db8::1', '2001:db8::2', '2001:db8::3']
/** What a log entry's signature is over. */
const entryBytes = 300

export const resolve: Benchmark = {
  name: 'resolve',
  title: 'Resolve in DNS, discover at a registry, verify a membership',
  how: `One after the other, each on its own, nothing kept from one to the next. DNS: the addresses of ${registries.length} registries from a name
server on the same machine, by the resolver of a node. Registry: a lookup by name over a connection that is there, each on a stream of its own, and
the record that comes is verified. Membership: the admit entry that a member shows in its hello is verified against the log that is held; beside it: one
signature verified, in the thread pool. Limits of how often a peer may ask are lifted.`,
  parameters: { questions: 1_000, members: 10_000 },
  quick: { questions: 20, members: 120 },

  async prepare(bench: Bench): Promise<Plan> {
    const { questions = 0, members = 0 } = bench.parameters
    const [folder, copy] = [
      await networkFolder(bench, { members, records: true }),
      await networkFolder(bench, { members, records: true })
    ]
    const root = new Child<RootMethods>('root')
    const names = await Authority.start(zone())
    const resolving = new Child<ResolvingMethods>('resolving')
    const floors = new Child<FloorsMethods>('floors')
    const address = await root.call('start', folder, { ...liftedLimits, 'limits.peersWanted': 0 })
    const { store } = dataFiles(benchConfig(copy, rootName, { role: 'root' }).paths.data)
    await resolving.call('open', address, members - 1, store)
    return {
      // The first question of a process loads what answers it.
      warmUp: true,
      measures: [
        { name: 'dns', run: async () => ({ ...(await resolving.call('resolve', questions, domain, names.port)) }) },
        { name: 'registry', run: async () => ({ ...(await resolving.call('discover', questions, members)) }) },
        { name: 'membership', run: async () => ({ ...(await resolving.call('verify', questions, members)) }) },
        { name: 'signature', run: () => floors.call('verifyTogether', questions, 1, entryBytes) }
      ],
      rows: [
        rowOf('resolve from DNS', 'dns', 10),
        rowOf('discover at the registry', 'registry', 20),
        {
          ...rowOf('verify a membership', 'membership', 50),
          beside: [measured('membership.p50', 'ms p50'), measured('signature', 'ms p50 of one signature')]
        }
      ],
      [Symbol.asyncDispose]: () => endAll([root, names, resolving, floors])
    }
  }
}

const zone = (): Zone => {
  const made = new Zone(domain)
  made.set(
    `tnr.${domain}`,
    registries.map((value) => ({ type: 'AAAA', value }))
  )
  return made
}

const rowOf = (what: string, name: string, mostMs: number): Row => ({
  what,
  unit: 'ms p99',
  of: measured(`${name}.p99`).of,
  beside: [measured(`${name}.p50`, 'ms p50')],
  aim: { text: `< ${mostMs} ms`, met: (figure) => figure < mostMs }
})
