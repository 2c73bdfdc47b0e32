import { copyFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { networkIdText } from '../../src/identity/network-id.ts'
import { dataFiles } from '../../src/node/config/paths.ts'
import { hasPostgres, PostgresServer } from '../../test/helpers/servers/postgres.ts'
import { type Bench, type Benchmark, type Plan, type Row, SkippedError } from '../harness/benchmark.ts'
import { Child, endAll } from '../harness/child.ts'
import { startEtcdServer } from '../harness/etcd-server.ts'
import { benchConfig, rootName } from '../harness/network.ts'
import { networkFolder } from '../harness/network-folder.ts'
import { measured } from '../harness/rounds.ts'
import { quantile } from '../harness/spread.ts'
import type { NodeMethods } from '../processes/node.ts'

const names = [rootName, 'candidate'] as const
type Name = (typeof names)[number]
const watcher = 'watcher'
/** Length of the lease of the log, which a root renews each 750 ms. */
const leaseSeconds = 3
const renewMs = 750
const environment = { TRUSTNET_ROOT_STORE_PASSWORD: PostgresServer.password }
const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6
const newNode = (): Child<NodeMethods> => new Child<NodeMethods>('node', { env: environment })

/** Two that may be the root, over an engine that keeps the log, and a member that watches them. */
class Takeovers implements AsyncDisposable {
  readonly #folder: string
  readonly #store: string
  readonly #watcher = newNode()
  readonly #nodes = new Map<Name, { child: Child<NodeMethods>; port: number }>()
  #networkId = ''
  #root: Name = rootName

  private constructor(folder: string, store: string) {
    this.#folder = folder
    this.#store = store
  }

  static async begin(bench: Bench, store: string): Promise<Takeovers> {
    const takeovers = new Takeovers(await networkFolder(bench, { members: 0, records: true }), store)
    try {
      await takeovers.#begin()
      return takeovers
    } catch (error) {
      await takeovers[Symbol.asyncDispose]()
      throw error
    }
  }

  async #begin(): Promise<void> {
    const folder = this.#folder
    const logKey = (name: string): string => dataFiles(benchConfig(folder, name).paths.data).logKey
    const root = await this.#start(rootName, { role: 'root' })
    await root.call('isRoot')
    const invited = async (name: string, role: 'secondary' | 'integrated') => ({
      'bootstrap.inviteFile': await root.call('inviteFile', folder, name, role)
    })
    const { address, networkId } = await root.call('address')
    this.#networkId = networkIdText(networkId)
    const candidate = await this.#start('candidate', await invited('candidate', 'secondary'), address)
    await candidate.call('ready')
    copyFileSync(logKey(rootName), logKey('candidate'))
    const flags = {
      networkId: this.#networkId,
      'bootstrap.peers': [address],
      ...(await invited(watcher, 'integrated'))
    }
    await this.#watcher.call('start', folder, watcher, flags)
    await this.#watcher.call('ready')
  }

  async #start(name: Name, flags: object, peer?: string): Promise<Child<NodeMethods>> {
    const child = newNode()
    const port = this.#nodes.get(name)?.port ?? 0
    this.#nodes.set(name, { child, port })
    const others = peer === undefined ? {} : { networkId: this.#networkId, 'bootstrap.peers': [peer] }
    const common = { role: 'secondary', 'root.store': this.#store, 'listen.port': port }
    await child.call('start', this.#folder, name, { ...common, ...others, ...flags })
    return child
  }

  #at(name: Name): Child<NodeMethods> {
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`${name} was not started`)
    return node.child
  }

  /** Seconds from the loss of the root until the log that a member has names the other one, so many times. */
  async run(times: number, isFrozen: boolean): Promise<Readonly<Record<string, number>>> {
    const seconds: number[] = []
    for (let time = 0; time < times; time++) seconds.push(await this.#once(isFrozen))
    const alarms = (await this.#watcher.call('alarms')).length
    return { p50: quantile(seconds, 0.5), p99: quantile(seconds, 0.99), max: Math.max(...seconds), alarms }
  }

  async #once(isFrozen: boolean): Promise<number> {
    const [lost, next]: [Name, Name] = this.#root === rootName ? [rootName, 'candidate'] : ['candidate', rootName]
    for (const node of [this.#at(next), this.#watcher]) {
      await node.call('namesRoot', lost)
      await node.call('ready')
    }
    await this.#at(next).call('hasHeard')
    const { address, port } = await this.#at(next).call('address')
    const { port: ownPort } = await this.#at(lost).call('address')
    this.#nodes.set(next, { child: this.#at(next), port })
    this.#nodes.set(lost, { child: this.#at(lost), port: ownPort })
    // Any moment between two renewals.
    await pause(Math.random() * renewMs)
    const from = machineMs()
    if (isFrozen) process.kill(this.#at(lost).pid, 'SIGSTOP')
    else await this.#at(lost).kill()
    const seconds = ((await this.#watcher.call('namesRoot', next)) - from) / 1000
    if (isFrozen) process.kill(this.#at(lost).pid, 'SIGCONT')
    else await this.#start(lost, {}, address)
    this.#root = next
    return seconds
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const nodes = [...this.#nodes.values()].map(({ child }) => child)
    await endAll([...nodes, this.#watcher])
  }
}

const rowsOf = (engine: string): Row[] =>
  (['killed', 'frozen'] as const).map((loss) => ({
    what: `root ${loss}, log in ${engine}`,
    unit: 's p99',
    of: measured(`${engine}-${loss}.p99`).of,
    floor: { what: 's of the lease', of: () => leaseSeconds },
    beside: [
      measured(`${engine}-${loss}.p50`, 's p50'),
      measured(`${engine}-${loss}.max`, 's at most'),
      measured(`${engine}-${loss}.alarms`, 'alarms at the member')
    ],
    aim: { text: '≤ 5 s', met: (figure) => figure <= 5 }
  }))

/** Engines that are here, each with how it is started. */
async function startEngines(bench: Bench): Promise<Map<string, { store: string; end: () => Promise<void> }>> {
  const engines = new Map<string, { store: string; end: () => Promise<void> }>()
  if (hasPostgres) {
    const server = await PostgresServer.start()
    engines.set('PostgreSQL', { store: server.url, end: async () => await server[Symbol.asyncDispose]() })
  }
  try {
    const { url, child } = await startEtcdServer(bench.folder)
    engines.set('etcd', { store: url, end: async () => void child.kill('SIGKILL') })
  } catch (error) {
    if (!(error instanceof SkippedError) || engines.size === 0) throw error
    bench.progress(error.message)
  }
  return engines
}

export const takeovers: Benchmark = {
  name: 'takeovers',
  title: 'Takeovers of a root whose log is in PostgreSQL or etcd',
  how: `Two nodes that may be the root, and a member, each in a process of its own; the engine of Debian, one member, its data on the same disk. The one that is the root gets
SIGKILL or SIGSTOP at any moment between two renewals of its lease; the time runs from there until the log of the member names the other one, which has heard the former root's head since its own start: one that has not
waits for others' heads, 30 s at most. The lost one comes back as a secondary, and next
it is the turn of the other one. Floor: the lease of three seconds, of which 2.25 to 3 are left.`,
  parameters: { takeovers: 20 },
  quick: { takeovers: 1 },

  async prepare(bench: Bench): Promise<Plan> {
    const { takeovers: times = 0 } = bench.parameters
    const engines = await startEngines(bench)
    const stages: Takeovers[] = []
    const end = async (): Promise<void> => {
      await endAll(stages)
      for (const engine of engines.values()) await engine.end()
    }
    try {
      const measures: Plan['measures'][number][] = []
      for (const [name, { store }] of engines) {
        const stage = await Takeovers.begin(bench, store)
        stages.push(stage)
        for (const loss of ['killed', 'frozen'] as const)
          measures.push({ name: `${name}-${loss}`, run: () => stage.run(times, loss === 'frozen') })
      }
      return { measures, rows: [...engines.keys()].flatMap(rowsOf), [Symbol.asyncDispose]: end }
    } catch (error) {
      await end()
      throw error
    }
  }
}
