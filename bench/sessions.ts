import { setTimeout as pause } from 'node:timers/promises'
import type { Bench, Benchmark, Measure, Plan, Row } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import { liftedLimits } from './harness/network.ts'
import { networkFolder } from './harness/network-folder.ts'
import { measured } from './harness/rounds.ts'
import { scaled } from './harness/rows.ts'
import type { BareClientsMethods } from './processes/bare/clients.ts'
import type { BareServerMethods } from './processes/bare/server.ts'
import type { MembersMethods } from './processes/members.ts'
import type { RootMethods } from './processes/root.ts'

const kibibyte = 1024
const realIntervalMs = 30_000
const busyIntervalMs = 1_000
/** One process holds so many hosts; more would make its garbage collections long. */
const perProcess = 2_500
/** Bytes of a heartbeat and its answer. */
const beatBytes = 60

interface Times {
  /** How long the CPU is watched. */
  seconds: number
  /** How long what began is given to come to rest. */
  settle: number
}

interface Served {
  sessions: number
  root: Child<RootMethods>
  clients: readonly Child<MembersMethods>[]
  /** Memory of the root for each session. */
  bytesPerSession: number
}

async function startServed(bench: Bench, sessions: number): Promise<Served> {
  const folder = await networkFolder(bench, { members: sessions + 2, records: false })
  const root = new Child<RootMethods>('root')
  const address = await root.call('start', folder, { ...liftedLimits, 'limits.peersWanted': 0 })
  const before = (await root.usage()).rssBytes
  const count = Math.ceil(sessions / perProcess)
  const clients = Array.from({ length: count }, () => new Child<MembersMethods>('members'))
  bench.progress(`opening ${sessions} sessions`)
  const share = Math.ceil(sessions / count)
  await Promise.all(
    clients.map(async (client, index) => {
      const from = 1 + index * share
      await client.call('register', address, from, Math.min(from + share, 1 + sessions))
    })
  )
  // What the handshakes used is free again after a while.
  await pause((bench.parameters['settle'] ?? 0) * 1000)
  const held = await root.call('sessions')
  if (held < sessions) throw new Error(`the root holds ${held} of ${sessions} sessions`)
  return { sessions, root, clients, bytesPerSession: ((await root.usage()).rssBytes - before) / sessions }
}

/** CPU of the root over a while in which each session beats at that interval. */
async function watch({ root, clients }: Served, intervalMs: number, { seconds, settle }: Times) {
  await Promise.all(clients.map((client) => client.call('beatEvery', intervalMs)))
  // The first beats come within one interval; they are spread over it.
  await pause(Math.min(intervalMs, settle * 1000))
  const beats = async (): Promise<number> =>
    (await Promise.all(clients.map((client) => client.call('beats')))).reduce((all, each) => all + each, 0)
  const [cpu0, beats0] = await Promise.all([root.call('cpuMs'), beats()])
  const from = performance.now()
  await pause(seconds * 1000)
  const [cpu1, beats1] = await Promise.all([root.call('cpuMs'), beats()])
  const elapsedMs = performance.now() - from
  return { cpuMs: cpu1 - cpu0, beats: beats1 - beats0, cores: (cpu1 - cpu0) / elapsedMs, elapsedMs }
}

const measureOf = (served: Served, times: Times): Measure => ({
  name: String(served.sessions),
  run: async () => {
    const real = await watch(served, realIntervalMs, times)
    const busy = await watch(served, busyIntervalMs, times)
    await Promise.all(served.clients.map((client) => client.call('beatEvery', realIntervalMs)))
    const marginalUs =
      ((busy.cpuMs / busy.elapsedMs - real.cpuMs / real.elapsedMs) * 1000) /
      (busy.beats / busy.elapsedMs - real.beats / real.elapsedMs)
    return {
      marginalUs,
      cores: real.cores,
      bytes: served.bytesPerSession,
      perSecond: (busy.beats / busy.elapsedMs) * 1000
    }
  }
})

async function startBare(bench: Bench, connections: number) {
  const server = new Child<BareServerMethods>('bare/server')
  const clients = new Child<BareClientsMethods>('bare/clients')
  const address = await server.call('start')
  const before = (await server.usage()).rssBytes
  bench.progress(`opening ${connections} bare connections`)
  await clients.call('connect', address, connections)
  const bytes = ((await server.usage()).rssBytes - before) / connections
  const measure: Measure = {
    name: 'bare',
    run: async () => {
      const cpu0 = await server.call('cpuMs')
      const echoes = await clients.call('echoEvery', busyIntervalMs, beatBytes, 5)
      return { us: (((await server.call('cpuMs')) - cpu0) * 1000) / echoes, bytes }
    }
  }
  return { measure, all: [server, clients] }
}

const rowsOf = (sessions: number, smaller: number | undefined): Row[] => {
  const name = String(sessions)
  const shown = sessions.toLocaleString('en-US')
  const flat = measured(
    `${smaller ?? sessions}.marginalUs`,
    `µs at ${(smaller ?? sessions).toLocaleString('en-US')} sessions`
  )
  return [
    {
      what: `${shown} sessions, CPU of one more heartbeat`,
      unit: 'µs',
      of: measured(`${name}.marginalUs`).of,
      floor: smaller === undefined ? measured('bare.us', 'µs of an echo over bare libp2p') : flat,
      beside: [measured('bare.us', 'bare echo µs'), measured(`${name}.perSecond`, 'heartbeats/s')],
      ...(smaller !== undefined && { aim: { text: 'within 20 % of the smaller one', met: (_, ratio) => ratio <= 1.2 } })
    },
    {
      what: `${shown} sessions, memory of each at the root`,
      unit: 'KiB',
      of: scaled(measured(`${name}.bytes`), 1 / kibibyte).of,
      floor: scaled(measured('bare.bytes'), 1 / kibibyte, 'KiB of a bare connection')
    },
    {
      what: `${shown} sessions at the real interval of 30 s`,
      unit: 'cores',
      of: measured(`${name}.cores`).of,
      ...(smaller !== undefined && { aim: { text: '< 0.5', met: (figure) => figure < 0.5 } })
    }
  ]
}

export const sessions: Benchmark = {
  name: 'sessions',
  title: 'Sessions at one root',
  how: `Three roots with a small, a middle and a large number of real sessions at the same time, each session a libp2p host of its own in one of
several client processes. CPU of one more heartbeat: what the root's CPU time grows by from an interval of 30 s to one of 1 s, divided by the
heartbeats that came more. Memory: what the root grew by, after garbage collection, for each session. Floor: bare libp2p connections, with an
echo of the same size each second.`,
  parameters: { small: 100, middle: 1_000, large: 10_000, seconds: 10, settle: 5, bare: 1_000 },
  quick: { small: 4, middle: 8, large: 16, seconds: 1, settle: 1, bare: 4 },

  async prepare(bench: Bench): Promise<Plan> {
    const { small = 0, middle = 0, large = 0, seconds = 0, settle = 0, bare = 0 } = bench.parameters
    const served: Served[] = []
    for (const size of [small, middle, large]) served.push(await startServed(bench, size))
    const floor = await startBare(bench, bare)
    return {
      measures: [...served.map((each) => measureOf(each, { seconds, settle })), floor.measure],
      rows: [...rowsOf(small, undefined), ...rowsOf(middle, undefined), ...rowsOf(large, middle)],
      [Symbol.asyncDispose]: () => endAll([...served.flatMap(({ root, clients }) => [root, ...clients]), ...floor.all])
    }
  }
}
