import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { networkIdText } from '../src/identity/network-id.ts'
import { controlClient } from '../src/node/api/client.ts'
import type { Bench, Benchmark, Plan } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import { liftedLimits } from './harness/network.ts'
import { networkFolder } from './harness/network-folder.ts'
import { measured } from './harness/rounds.ts'
import { mebibyte } from './harness/rows.ts'
import type { BareServerMethods } from './processes/bare/server.ts'
import type { RootAddress, RootMethods } from './processes/root.ts'

const program = fileURLToPath(new URL('../bin/trustnet.js', import.meta.url))
const pollMs = 10
const startMs = 30_000
const kibibyte = 1024

/** Resident memory of a process, MiB, as the system counts it. */
function residentMiB(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return (Number(found?.[1] ?? Number.NaN) * kibibyte) / mebibyte
}

function spawnNode(home: string, root: RootAddress): ChildProcess {
  const argv = ['node', 'start', '--name', 'n', '--domain', 'bench.test', '--network', networkIdText(root.networkId)]
  const set = ['listen.host=::1', 'listen.port=0', 'announce.allow=loopback', `bootstrap.peers=${root.address}`]
  return spawn(process.execPath, [program, ...argv, ...set.flatMap((pair) => ['--set', pair])], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, TRUSTNET_HOME: home }
  })
}

/** Resolves when the node says of itself that it is a member with a session. */
async function untilOnline(home: string): Promise<void> {
  const client = controlClient({ path: join(home, 'run', 'n.sock') })
  for (const deadline = performance.now() + startMs; performance.now() < deadline; ) {
    const status = await client.status().catch(() => undefined)
    if (status !== undefined && status.phase.name !== 'bootstrap') return
    await pause(pollMs)
  }
  throw new Error('the node was not online in time')
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}

/** The command line's node, which has joined before: from the start of its process. */
async function coldStart(bench: Bench, home: string, root: RootAddress) {
  const from = performance.now()
  const child = spawnNode(home, root)
  try {
    await untilOnline(home)
    const seconds = (performance.now() - from) / 1000
    await pause((bench.parameters['idle'] ?? 0) * 1000)
    return { seconds, memory: residentMiB(child.pid ?? 0) }
  } finally {
    await stop(child)
  }
}

const shortCommands = [['version'], ['completion', 'bash'], ['peers'], ['status']]

/** CPU seconds of a process, user and system together, as the shell counts them. */
function cpuSeconds(home: string, argv: readonly string[]): number {
  const script = 'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>&1'
  const { stderr } = spawnSync('bash', ['-c', script, 'bash', process.execPath, ...argv], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', TRUSTNET_HOME: home }
  })
  const [user = Number.NaN, system = Number.NaN] = stderr.trim().split(' ').map(Number)
  return user + system
}

/** The dearest of the short commands, where nothing runs. */
const commandStart = (home: string): number =>
  Math.max(...shortCommands.map((argv) => cpuSeconds(home, [program, ...argv])))

async function bareStart(bench: Bench) {
  const from = performance.now()
  await using child = new Child<BareServerMethods>('bare/server')
  await child.call('start')
  const seconds = (performance.now() - from) / 1000
  await pause((bench.parameters['idle'] ?? 0) * 1000)
  return { seconds, memory: residentMiB(child.pid) }
}

/** A registry with many members and records: how long its start takes, and what it holds. */
async function largeStart(bench: Bench, folder: string) {
  await using child = new Child<RootMethods>('root')
  await child.usage()
  const from = performance.now()
  await child.call('start', folder, liftedLimits)
  const seconds = (performance.now() - from) / 1000
  await pause((bench.parameters['idle'] ?? 0) * 1000)
  return { seconds, memory: residentMiB(child.pid) }
}

export const start: Benchmark = {
  name: 'start',
  title: 'Cold start and memory',
  how: `Cold start: \`trustnet node start\` of an integrated node that has joined before, from the start of its process until its control socket
says that it is a member with a session; the root runs. Memory: VmRSS after some idle seconds. Floor: a process with bare libp2p (TCP, Noise,
yamux) until it listens. Short commands: version, completion, peers and status, where nothing runs. "Large": a root with as many members and records; its start includes loading SQLite, the check of the store, and the
state of all members.`,
  parameters: { large: 100_000, idle: 15 },
  quick: { large: 64, idle: 0 },

  async prepare(bench: Bench): Promise<Plan> {
    const { large = 0 } = bench.parameters
    const root = new Child<RootMethods>('root')
    const folder = await networkFolder(bench, { members: 0, records: true, open: true })
    const address = await root.call('start', folder, {})
    const home = join(bench.folder, 'home')
    mkdirSync(home)
    // The first start of all joins.
    await coldStart(bench, home, address)
    const largeFolder = await networkFolder(bench, { members: large, records: true })
    const shown = large.toLocaleString('en-US')
    return {
      measures: [
        { name: 'node', run: () => coldStart(bench, home, address) },
        { name: 'bare', run: () => bareStart(bench) },
        { name: 'command', run: async () => commandStart(join(bench.folder, 'nothing')) },
        { name: 'empty', run: async () => cpuSeconds(home, ['-e', '0']) },
        { name: 'large', run: () => largeStart(bench, largeFolder) }
      ],
      rows: [
        {
          what: 'cold start to online',
          unit: 's',
          of: measured('node.seconds').of,
          floor: measured('bare.seconds', 's of bare libp2p'),
          aim: { text: '< 1.5 s', met: (figure) => figure < 1.5 }
        },
        {
          what: 'CPU of the dearest short command',
          unit: 's',
          of: measured('command').of,
          floor: measured('empty', 's of Node alone'),
          aim: { text: '≤ 0.25 s', met: (figure) => figure <= 0.25 }
        },
        {
          what: 'memory of an idle node',
          unit: 'MiB',
          of: measured('node.memory').of,
          floor: measured('bare.memory', 'MiB of bare libp2p'),
          aim: { text: '< 120 MB', met: (figure) => figure * mebibyte < 120e6 }
        },
        { what: `memory with ${shown} records`, unit: 'MiB', of: measured('large.memory').of },
        {
          what: `start of a root with ${shown} members and records, to listening`,
          unit: 's',
          of: measured('large.seconds').of
        }
      ],
      [Symbol.asyncDispose]: () => endAll([root])
    }
  }
}
