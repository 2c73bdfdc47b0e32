import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../test/helpers/free-port.ts'
import { type Bench, type Benchmark, type Plan, SkippedError } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import type { LoadResult } from './harness/load.ts'
import { liftedLimits } from './harness/network.ts'
import { networkFolder } from './harness/network-folder.ts'
import { measured } from './harness/rounds.ts'
import type { EtcdClientMethods } from './processes/etcd-client.ts'
import type { MembersMethods } from './processes/members.ts'
import type { RootMethods } from './processes/root.ts'

const envelopeBytes = 300
const inFlight = 64
const startMs = 15_000

/** The one of Debian, with its data on the same disk and its own durability. */
async function startEtcd(folder: string): Promise<{ host: string; child: ChildProcess }> {
  if (spawnSync('etcd', ['--version']).status !== 0) {
    throw new SkippedError('etcd is not installed: apt-get install etcd-server')
  }
  const [client, peer] = [`http://[::1]:${await freePort()}`, `http://[::1]:${await freePort()}`]
  const urls = ['listen-client-urls', 'advertise-client-urls'].map((flag) => `--${flag}=${client}`)
  const peers = ['listen-peer-urls', 'initial-advertise-peer-urls'].map((flag) => `--${flag}=${peer}`)
  const cluster = ['--name=bench', `--initial-cluster=bench=${peer}`]
  const argv = [`--data-dir=${join(folder, 'etcd')}`, ...urls, ...peers, ...cluster]
  const child = spawn('etcd', argv, { stdio: 'ignore', env: { ...process.env, ETCD_UNSUPPORTED_ARCH: process.arch } })
  for (const deadline = performance.now() + startMs; performance.now() < deadline; await pause(100)) {
    const health = await fetch(`${client}/health`).catch(() => undefined)
    if (health?.ok === true) return { host: client, child }
  }
  child.kill('SIGKILL')
  throw new Error('etcd did not become healthy')
}

const parts = async (result: Promise<LoadResult>) => ({ ...(await result) })

export const etcd: Benchmark = {
  name: 'etcd',
  title: 'Record updates beside etcd',
  how: `The row "one registry session, 64 in flight" of the record updates, beside etcd of Debian (one member, its data on the same disk, its own
durability): put with a lease of as many bytes under as many keys, 64 in flight, through the npm client etcd3 in a process of its own. One round
before the first is not counted. etcd verifies no signatures. It needs \`apt-get install etcd-server\` and \`npm install --no-save etcd3\`, or BENCH_ETCD3 with the path of that
package's main file; without them the row is skipped.`,
  parameters: { updates: 8_000, keys: 1_000 },
  quick: { updates: 100, keys: 64 },

  async prepare(bench: Bench): Promise<Plan> {
    const { updates = 0, keys = 0 } = bench.parameters
    const { host, child } = await startEtcd(bench.folder)
    const client = new Child<EtcdClientMethods>('etcd-client')
    const root = new Child<RootMethods>('root')
    const members = new Child<MembersMethods>('members')
    const end = async (): Promise<void> => {
      await endAll([root, members, client])
      child.kill('SIGKILL')
    }
    try {
      await client.call('connect', process.env['BENCH_ETCD3'] ?? 'etcd3', host)
    } catch (error) {
      await end()
      throw new SkippedError(`no npm client of etcd (npm install --no-save etcd3): ${String(error).split('\n')[0]}`)
    }
    const folder = await networkFolder(bench, { members: keys + 1, records: true })
    await members.call('register', await root.call('start', folder, liftedLimits), 0, 1)
    return {
      measures: [
        { name: 'put', run: () => parts(members.call('putForOthers', updates, keys, inFlight)) },
        { name: 'etcd', run: () => parts(client.call('put', updates, envelopeBytes, keys, inFlight)) }
      ],
      warmUp: true,
      rows: [
        {
          what: 'one registry session, 64 in flight',
          unit: 'updates/s',
          of: measured('put.perSecond').of,
          floor: measured('etcd.perSecond', 'puts/s of etcd'),
          beside: [measured('put.p99', 'p99 ms'), measured('etcd.p99', 'p99 ms of etcd')],
          aim: { text: '≥ 3 × etcd', met: (_, ratio) => ratio >= 3 }
        }
      ],
      [Symbol.asyncDispose]: end
    }
  }
}
