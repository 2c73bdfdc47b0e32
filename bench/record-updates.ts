import type { Aim, Bench, Benchmark, Measure, Plan, Row } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import type { LoadResult } from './harness/load.ts'
import { liftedLimits } from './harness/network.ts'
import { networkFolder } from './harness/network-folder.ts'
import { composite, measured } from './harness/rounds.ts'
import type { BareClientsMethods } from './processes/bare/clients.ts'
import type { BareServerMethods } from './processes/bare/server.ts'
import type { FloorsMethods } from './processes/floors.ts'
import type { MembersMethods } from './processes/members.ts'
import type { RootMethods } from './processes/root.ts'

/** Bytes of a record's envelope, and of the frames that bring it. */
const envelopeBytes = 300
const frameBytes = 310

interface Shape {
  name: string
  what: string
  streams: number
  inFlight: number
}

const shapes = (lanes: number): readonly Shape[] => [
  { name: '1', what: 'one registry session, 1 in flight', streams: 1, inFlight: 1 },
  { name: '64', what: 'one registry session, 64 in flight', streams: 1, inFlight: 64 },
  { name: '512', what: 'one registry session, 512 in flight', streams: 1, inFlight: 512 },
  { name: 'own', what: `${lanes} sessions of different members, 1 in flight each`, streams: lanes, inFlight: 1 }
]

const half: Aim = { text: '≥ 50 % of the composite', met: (_, ratio) => ratio >= 0.5 }

const flat = ({ perSecond, p50, p99 }: LoadResult) => ({ perSecond, p50, p99 })

interface Processes {
  root: Child<RootMethods>
  members: Child<MembersMethods>
  quiet: Child<MembersMethods>
  floors: Child<FloorsMethods>
  bareServer: Child<BareServerMethods>
  bareClients: Child<BareClientsMethods>
}

export const recordUpdates: Benchmark = {
  name: 'record-updates',
  title: 'Record updates into a registry',
  how: `Signed records of 1,000 different keys. One round before the first is not counted. Each answer comes after the signature was verified and the row is on the disk
(WAL, synchronous=FULL). The limits of how often a peer may ask are lifted by configuration. The records are signed before the clock
starts. Floor: the composite 1/(1/a+1/b+1/c) of a) the same frames echoed over bare libp2p in the same shape, b) Ed25519 verification
alone (in the thread pool when more than one is in flight), c) SQLite upserts of the same size alone, as many per transaction as are in
flight. Two rows are no race. One is about fairness: a member that puts one record after the other, with pauses, while a registry keeps 512 in
flight on its own session; its floor is the same member without that. In the other the registry is so busy that it answers no ping, for longer
than a silent connection is kept: a connection on which bytes arrive stays, else the row fails.`,
  parameters: { updates: 8_000, single: 1_000, keys: 1_000, lanes: 64, quiet: 200, deaf: 512 },
  // More keys than requests in flight: of two records of one key on their way, the earlier may come second and be refused.
  quick: { updates: 600, single: 20, keys: 600, lanes: 2, quiet: 5, deaf: 64 },

  async prepare(bench: Bench): Promise<Plan> {
    const { updates = 0, single = 0, keys = 0, lanes = 0 } = bench.parameters
    const processes = await start(bench, lanes)
    const all = shapes(lanes)
    return {
      measures: [
        ...all.flatMap((shape) => measuresOf(shape, processes, shape.name === '1' ? single : updates, keys)),
        ...quietMeasures(processes, bench),
        deafMeasure(processes, bench)
      ],
      warmUp: true,
      rows: [...all.map(rowOf), quietRow, deafRow],
      [Symbol.asyncDispose]: () => endAll(Object.values(processes))
    }
  }
}

/** The number of a member whose record nobody else updates. */
const quietMember = ({ parameters: { keys = 0, lanes = 0 } }: Bench): number => Math.max(keys, lanes) + 1

async function start(bench: Bench, lanes: number): Promise<Processes> {
  const quietNumber = quietMember(bench)
  const folder = await networkFolder(bench, { members: quietNumber + 1, records: true })
  const root = new Child<RootMethods>('root')
  const address = await root.call('start', folder, { ...liftedLimits, 'limits.peerTimeout': `${silentMs}ms` })
  const members = new Child<MembersMethods>('members')
  bench.progress('registering the members')
  await members.call('register', address, 0, lanes + 1)
  const quiet = new Child<MembersMethods>('members')
  await quiet.call('register', address, quietNumber, quietNumber + 1)
  const floors = new Child<FloorsMethods>('floors')
  await floors.call('open', bench.folder)
  const bareServer = new Child<BareServerMethods>('bare/server')
  const bareClients = new Child<BareClientsMethods>('bare/clients')
  await bareClients.call('connect', await bareServer.call('start'), lanes)
  return { root, members, quiet, floors, bareServer, bareClients }
}

function measuresOf(shape: Shape, processes: Processes, jobs: number, keys: number): Measure[] {
  const { name, streams, inFlight } = shape
  const { members, floors, bareClients } = processes
  const together = streams * inFlight
  return [
    {
      name: `put ${name}`,
      run: async () =>
        flat(
          name === 'own'
            ? await members.call('putOwn', jobs, 1, 1 + streams)
            : await members.call('putForOthers', jobs, keys, inFlight)
        )
    },
    {
      name: `echo ${name}`,
      run: async () => (await bareClients.call('echo', jobs, frameBytes, streams, inFlight)).perSecond
    },
    { name: `verify ${name}`, run: () => floors.call('verify', jobs, envelopeBytes, keys, together) },
    { name: `commit ${name}`, run: () => floors.call('commit', jobs, envelopeBytes, keys, together) }
  ]
}

const rowOf = ({ name, what }: Shape): Row => ({
  what,
  unit: 'updates/s',
  of: measured(`put ${name}.perSecond`).of,
  floor: composite('echo, verify and commit together', [`echo ${name}`, `verify ${name}`, `commit ${name}`]),
  beside: [
    measured(`echo ${name}`, 'echo/s'),
    measured(`verify ${name}`, 'verify/s'),
    measured(`commit ${name}`, 'rows committed/s'),
    measured(`put ${name}.p99`, 'p99 ms')
  ],
  aim: half
})

/** Time after which a connection is given up that carries nothing; two pings, one after the other, take longer. */
const silentMs = 5_000
const pings = 2

const deafMeasure = ({ root, members }: Processes, { parameters: { deaf = 0 } }: Bench): Measure => ({
  name: 'deaf',
  run: async () => {
    const flood = members.call('floodDeaf', deaf)
    // A session that ends is told at once.
    await Promise.race([root.call('pingMembers', pings), flood])
    await members.call('stopPaced')
    return await flood
  }
})

const deafRow: Row = {
  what: 'a registry with 512 in flight that answers no ping meanwhile',
  unit: 'updates/s, signed on the way',
  of: measured('deaf').of
}

/** More than the flood can send while the quiet member is at work. */
const floodPerQuiet = 300
const quietPauseMs = 5

function quietMeasures({ members, quiet }: Processes, bench: Bench): Measure[] {
  const { keys = 0, quiet: count = 0 } = bench.parameters
  const number = quietMember(bench)
  return [
    { name: 'alone', run: () => quiet.call('putEvery', number, count, quietPauseMs) },
    {
      name: 'flooded',
      run: async () => {
        await members.call('sign', count * floodPerQuiet, keys)
        const flood = members.call('flood', 512)
        const times = await quiet.call('putEvery', number, count, quietPauseMs)
        await members.call('stopPaced')
        return { ...times, flood: await flood }
      }
    }
  ]
}

const quietRow: Row = {
  what: 'a quiet member beside a registry with 512 in flight: p99',
  unit: 'ms',
  of: measured('flooded.p99').of,
  floor: measured('alone.p99', 'ms at p99 without the flood'),
  beside: [
    measured('flooded.p50', 'p50 ms'),
    measured('alone.p50', 'p50 ms without the flood'),
    measured('flooded.flood', 'updates/s of the flood')
  ]
}
