import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { networkIdText } from '../src/identity/network-id.ts'
import type { Bench, Benchmark, Figure, Measure, Plan, Row } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import { liftedLimits } from './harness/network.ts'
import { networkFolder } from './harness/network-folder.ts'
import { measured } from './harness/rounds.ts'
import { mebibyte } from './harness/rows.ts'
import { quantile } from './harness/spread.ts'
import { startKubo } from './harness/tunnels/kubo.ts'
import { startSsh } from './harness/tunnels/ssh.ts'
import type { Tunnel } from './harness/tunnels/tunnel.ts'
import type { MemberMethods } from './processes/forward/member.ts'
import type { ProgramsMethods } from './processes/forward/programs.ts'
import type { RootMethods } from './processes/root.ts'

const tripBytes = 64

export const forward: Benchmark = {
  name: 'forward',
  title: 'Services of other machines',
  how: `Two nodes of the product with its own limits, each a process of its own: one exposes services, the other one listens for them. The services, and the programs that call them
over TCP, are in a third process. Floor: as many bytes over one stream of bare libp2p between the same two processes, from memory to memory. "Added round trip": ${tripBytes} bytes there
and back through the forward, less the same over a stream of bare libp2p between the two. "At once": all forwards take what they are sent, from the moment in which each was sent something;
the one that got most over the one that got least. Beside them the same programs through the same two processes in plain TCP, which is what the hops cost without Noise and yamux;
\`ssh -L\` of OpenSSH, where sshd is installed and root runs it, and \`ipfs p2p forward\` of kubo, where \`ipfs\` is in PATH.`,
  parameters: { mebibytes: 1_024, trips: 5_000, forwards: 200, seconds: 10 },
  quick: { mebibytes: 16, trips: 200, forwards: 20, seconds: 1 },

  async prepare(bench: Bench): Promise<Plan> {
    const { mebibytes = 0, trips = 0, forwards = 0, seconds = 0 } = bench.parameters
    const root = new Child<RootMethods>('root')
    const server = new Child<MemberMethods>('forward/member')
    const caller = new Child<MemberMethods>('forward/member')
    const programs = new Child<ProgramsMethods>('forward/programs')
    await startMembers(bench, root, { server, caller })
    const services = await programs.call('start')
    await server.call('expose', 'bytes', services.bytes)
    await server.call('expose', 'back', services.back)
    const bytes = await caller.call('listen', 'server', 'bytes')
    const back = await caller.call('listen', 'server', 'back')
    const bare = await server.call('startBare')
    const proxied = await proxiedBy([server, caller], services)
    const all = mebibytes * mebibyte
    const throughPrograms = (name: string, to: { bytes: number; back: number }): Measure[] => [
      { name: `${name}.bytes`, run: async () => await programs.call('receive', to.bytes, all) },
      { name: `${name}.trip`, run: async () => await middle(programs.call('trips', to.back, trips, tripBytes)) }
    ]
    const others = await startOthers(bench.folder, [services.bytes, services.back])
    return {
      warmUp: true,
      measures: [
        { name: 'bare.bytes', run: async () => await caller.call('receive', bare, all) },
        { name: 'bare.trip', run: async () => await middle(caller.call('trips', bare, trips, tripBytes)) },
        ...throughPrograms('forward', { bytes, back }),
        ...throughPrograms('direct', services),
        ...throughPrograms('proxies', proxied),
        ...others.flatMap(
          ({
            name,
            tunnel: {
              ports: [to = 0, toBack = 0]
            }
          }) => throughPrograms(name, { bytes: to, back: toBack })
        ),
        { name: 'share', run: async () => await programs.call('share', bytes, forwards, seconds * 1_000) }
      ],
      rows: rowsOf(bench.parameters, others),
      [Symbol.asyncDispose]: async () =>
        await endAll([root, server, caller, programs, ...others.map(({ tunnel }) => tunnel)])
    }
  }
}

const middle = async (took: Promise<number[]>): Promise<number> => quantile(await took, 0.5)

async function startMembers(
  bench: Bench,
  root: Child<RootMethods>,
  members: Readonly<Record<string, Child<MemberMethods>>>
): Promise<void> {
  const folder = await networkFolder(bench, { members: 0, records: true, open: true })
  const { address, networkId } = await root.call('start', folder, liftedLimits)
  const home = join(folder, 'nodes')
  mkdirSync(home)
  const flags = { networkId: networkIdText(networkId), 'bootstrap.peers': [address] }
  for (const [name, member] of Object.entries(members)) await member.call('start', home, name, flags)
}

/** Ports at which both services are reached through all of these processes, in plain TCP. */
async function proxiedBy(
  members: readonly Child<MemberMethods>[],
  services: { bytes: number; back: number }
): Promise<{ bytes: number; back: number }> {
  let { bytes, back } = services
  for (const member of members) {
    bytes = await member.call('proxy', bytes)
    back = await member.call('proxy', back)
  }
  return { bytes, back }
}

/** Another program that does the same, where it is there. */
interface Other {
  readonly name: string
  readonly what: string
  readonly tunnel: Tunnel
}

async function startOthers(folder: string, to: readonly number[]): Promise<Other[]> {
  const [ssh, kubo] = [await startSsh(folder, to), await startKubo(folder, to)]
  return [
    ...(ssh === undefined ? [] : [{ name: 'ssh', what: 'ssh -L', tunnel: ssh }]),
    ...(kubo === undefined ? [] : [{ name: 'kubo', what: 'ipfs p2p forward', tunnel: kubo }])
  ]
}

const added: Figure = {
  what: 'added round trip, p50',
  of: (round) => measured('forward.trip').of(round) - measured('bare.trip').of(round)
}

const times: Figure = {
  what: 'most over least',
  of: (round) => measured('share.most').of(round) / measured('share.least').of(round)
}

const rowsOf = ({ mebibytes = 0, forwards = 0 }: Readonly<Record<string, number>>, others: readonly Other[]): Row[] => [
  {
    ...measured('forward.bytes', `one stream of ${mebibytes} MiB`),
    unit: 'MiB/s',
    floor: measured('bare.bytes', 'over a stream of bare libp2p'),
    beside: [
      measured('direct.bytes', 'MiB/s without a network'),
      measured('proxies.bytes', 'MiB/s through the same processes in plain TCP'),
      ...others.map(({ name, what }) => measured(`${name}.bytes`, `MiB/s through ${what}`))
    ],
    aim: { text: '≥ 70 % of the bare stream', met: (_, ratio) => ratio >= 0.7 }
  },
  {
    ...added,
    unit: 'ms',
    beside: [
      measured('forward.trip', 'ms through the forward'),
      measured('bare.trip', 'ms over bare libp2p'),
      measured('direct.trip', 'ms without a network'),
      measured('proxies.trip', 'ms through the same processes in plain TCP'),
      ...others.map(({ name, what }) => measured(`${name}.trip`, `ms through ${what}`))
    ],
    aim: { text: '< 0.3 ms', met: (figure) => figure < 0.3 }
  },
  {
    ...times,
    what: `${forwards} forwards at once: most over least`,
    unit: 'times',
    beside: [
      measured('share.least', 'MiB/s, least'),
      measured('share.most', 'MiB/s, most'),
      measured('share.all', 'MiB/s of all')
    ],
    aim: { text: '≤ 2', met: (figure) => figure <= 2 }
  }
]
