import { dataFiles } from '../src/node/config/paths.ts'
import type { Bench, Benchmark, Measure, Plan, Row } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import { benchConfig, liftedLimits, rootName } from './harness/network.ts'
import { networkFolder } from './harness/network-folder.ts'
import { measured } from './harness/rounds.ts'
import { sum } from './harness/rows.ts'
import type { BareClientsMethods } from './processes/bare/clients.ts'
import type { BareServerMethods } from './processes/bare/server.ts'
import type { FloorsMethods } from './processes/floors.ts'
import type { LookupKind, LookupsMethods } from './processes/lookups.ts'
import type { MembersMethods } from './processes/members.ts'
import type { RootMethods } from './processes/root.ts'
import type { StoredQueriesMethods } from './processes/stored-queries.ts'

/** Bytes of an answer's row: record, admit entry, and what is said of it. */
const rowBytes = 1_100
/** What a record's signature is over. */
const signedBytes = 300

interface Kind {
  name: string
  kind: LookupKind
  rows: number
}

const kinds: readonly Kind[] = [
  { name: 'by PeerId', kind: 'PeerId', rows: 1 },
  { name: 'by name', kind: 'name', rows: 1 },
  { name: 'page of 10', kind: 'page', rows: 10 },
  { name: 'page of 100', kind: 'page', rows: 100 }
]

/** A root with so many records, and what asks it. */
interface Size {
  members: number
  lookups: Child<LookupsMethods>
  stored: Child<StoredQueriesMethods>
  updaters: Child<MembersMethods>
  halfRate: number
  all: readonly AsyncDisposable[]
}

export const lookup: Benchmark = {
  name: 'lookup',
  title: 'Lookup by PeerId, by name, and a page of the domain',
  how: `One question at a time on one lookup stream. Every answer brings the record and the admit entry of each row, and the asker verifies
the records. "During updates": another registry's session updates records at half the rate that it reached alone. Floor: the same query in
SQLite alone, the same bytes echoed over bare libp2p, and as many signatures verified, one after the other. Limits
of how often a peer may ask are lifted.`,
  parameters: { questions: 2_000, pages: 300, small: 1_000, large: 100_000, updates: 6_000 },
  quick: { questions: 20, pages: 4, small: 120, large: 130, updates: 100 },

  async prepare(bench: Bench): Promise<Plan> {
    const { small = 0, large = 0 } = bench.parameters
    const bareServer = new Child<BareServerMethods>('bare/server')
    const bareClients = new Child<BareClientsMethods>('bare/clients')
    const floors = new Child<FloorsMethods>('floors')
    await bareClients.call('connect', await bareServer.call('start'), 1)
    const sizes = [await startSize(bench, small), await startSize(bench, large)]
    const [, largest] = sizes
    const measures = sizes.flatMap((size) => kinds.map((kind) => measureOf(bench, size, kind)))
    const rows = sizes.flatMap(({ members }) => kinds.flatMap((kind) => rowsOf(kind, members, '')))
    if (largest !== undefined) {
      measures.push(...kinds.map((kind) => duringUpdates(bench, largest, kind)))
      rows.push(...kinds.flatMap((kind) => rowsOf(kind, largest.members, ' during updates')))
    }
    measures.push(...floorsOf(bench, bareClients, floors, sizes))
    return {
      measures,
      rows,
      [Symbol.asyncDispose]: () => endAll([bareServer, bareClients, floors, ...sizes.flatMap(({ all }) => all)])
    }
  }
}

async function startSize(bench: Bench, members: number): Promise<Size> {
  const folder = await networkFolder(bench, { members, records: true })
  const copy = await networkFolder(bench, { members, records: true })
  const root = new Child<RootMethods>('root')
  const lookups = new Child<LookupsMethods>('lookups')
  const stored = new Child<StoredQueriesMethods>('stored-queries')
  const updaters = new Child<MembersMethods>('members')
  bench.progress(`starting a root with ${members} records`)
  const address = await root.call('start', folder, { ...liftedLimits, 'limits.peersWanted': 0 })
  await lookups.call('open', address, members - 1)
  await stored.call('open', dataFiles(benchConfig(copy, rootName, { role: 'root' }).paths.data).store)
  await stored.call('name', members)
  await updaters.call('register', address, 0, 1)
  const top = await updaters.call('putForOthers', bench.parameters['updates'] ?? 0, keysOf(members), 64)
  bench.progress(`${members} records: ${Math.round(top.perSecond)} updates/s at most`)
  return { members, lookups, stored, updaters, halfRate: top.perSecond / 2, all: [root, lookups, stored, updaters] }
}

const keysOf = (members: number): number => Math.min(members - 2, 1_000)

const jobsOf = ({ parameters }: Bench, { rows }: Kind): number =>
  (rows === 1 ? parameters['questions'] : parameters['pages']) ?? 0

function measureOf(bench: Bench, { members, lookups }: Size, kind: Kind): Measure {
  return {
    name: `${members} ${kind.name}`,
    run: async () => {
      const { p50, p99 } = await lookups.call('ask', kind.kind, jobsOf(bench, kind), members, kind.rows)
      return { p50, p99 }
    }
  }
}

function duringUpdates(bench: Bench, size: Size, kind: Kind): Measure {
  const { run, name } = measureOf(bench, size, kind)
  return {
    name: `${name} during updates`,
    run: async () => {
      await size.updaters.call('sign', size.halfRate * 5, keysOf(size.members))
      const updates = size.updaters.call('putPaced', size.halfRate)
      const result = await run()
      await size.updaters.call('stopPaced')
      return { ...(typeof result === 'number' ? {} : result), updates: await updates }
    }
  }
}

const floorsOf = (
  bench: Bench,
  bareClients: Child<BareClientsMethods>,
  floors: Child<FloorsMethods>,
  sizes: readonly Size[]
): Measure[] => [
  ...kinds.map((kind) => ({
    name: `verify ${kind.name}`,
    run: () => floors.call('verifyTogether', jobsOf(bench, kind), kind.rows, signedBytes)
  })),
  ...kinds.map((kind) => ({
    name: `echo ${kind.name}`,
    run: async () => (await bareClients.call('echo', jobsOf(bench, kind), rowBytes * kind.rows, 1, 1)).p50
  })),
  ...sizes.flatMap(({ members, stored }) =>
    kinds.map((kind) => ({
      name: `SQLite ${members} ${kind.name}`,
      run: async () => (await stored.call('ask', kind.kind, jobsOf(bench, kind), members, kind.rows)).p50
    }))
  )
]

function rowsOf({ name, rows }: Kind, members: number, suffix: string): Row[] {
  const what = `${name}, ${members.toLocaleString('en-US')} records${suffix}`
  const measure = `${members} ${name}${suffix}`
  const during = suffix === '' ? [] : [measured(`${measure}.updates`, 'updates/s meanwhile')]
  return [
    {
      what,
      unit: 'ms p50',
      of: measured(`${measure}.p50`).of,
      floor: sum('query, echo and verify', [`SQLite ${members} ${name}`, `echo ${name}`, `verify ${name}`]),
      beside: [
        measured(`SQLite ${members} ${name}`, 'query ms'),
        measured(`echo ${name}`, 'echo ms'),
        measured(`verify ${name}`, 'verify ms'),
        ...during
      ],
      ...(rows < 100 && { aim: { text: '< 0.5 ms', met: (figure) => figure < 0.5 } })
    },
    {
      what,
      unit: 'ms p99',
      of: measured(`${measure}.p99`).of,
      ...(rows < 100 && { aim: { text: '< 3 ms', met: (figure) => figure < 3 } })
    }
  ]
}
