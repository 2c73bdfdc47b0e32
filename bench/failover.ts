import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { networkIdText } from '../src/identity/network-id.ts'
import type { Bench, Benchmark, Plan, Row } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import { memberKey, memberName, secondary } from './harness/members/members.ts'
import { benchConfig, type Flags } from './harness/network.ts'
import { networkFolder } from './harness/network-folder.ts'
import { measured } from './harness/rounds.ts'
import { mostWithinOneSecond } from './harness/spread.ts'
import type { FailingOverMethods } from './processes/failing-over.ts'
import type { RootAddress, RootMethods } from './processes/root.ts'

const clientProcesses = 4
const lookMs = 100
/** A session that is lost sooner counts as a failed try, and its registry is passed over. */
const settleMs = 6_000
const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6

/** One of the two registries, which can be killed and started again on its port. */
class Station {
  readonly #folder: string
  readonly #flags: Flags
  #child = new Child<RootMethods>('root')
  #address: RootAddress | undefined

  constructor(folder: string, flags: Flags) {
    this.#folder = folder
    this.#flags = flags
  }

  get address(): RootAddress {
    if (this.#address === undefined) throw new Error('the registry was not started')
    return this.#address
  }

  get child(): Child<RootMethods> {
    return this.#child
  }

  async start(): Promise<void> {
    const port = this.#address === undefined ? {} : { 'listen.port': this.#address.port }
    this.#address = await this.#child.call('start', this.#folder, { ...this.#flags, ...port })
  }

  async kill(): Promise<void> {
    await this.#child.kill()
    this.#child = new Child<RootMethods>('root')
  }

  /** It accepts connections and says nothing. */
  freeze(): void {
    process.kill(this.#child.pid, 'SIGSTOP')
  }

  /** Resolves when its replica has so many members. */
  async knows(members: number): Promise<void> {
    while ((await this.#child.call('members')) < members) await pause(lookMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]()
  }
}

/** The folder of a secondary that is a member already, with its key. */
function secondaryFolder(bench: Bench): string {
  const folder = mkdtempSync(join(bench.folder, 'secondary-'))
  const { key } = benchConfig(folder, memberName(secondary)).paths
  mkdirSync(dirname(key), { recursive: true, mode: 0o700 })
  writeFileSync(key, privateKeyToProtobuf(memberKey(secondary).toLibp2p()), { mode: 0o600 })
  return folder
}

async function startStations(bench: Bench, members: number): Promise<readonly [Station, Station]> {
  const root = new Station(await networkFolder(bench, { members: members + 1, records: true }), {})
  await root.start()
  const { address, networkId } = root.address
  const flags = { role: 'secondary', name: memberName(secondary), networkId: networkIdText(networkId) }
  const other = new Station(secondaryFolder(bench), { ...flags, 'bootstrap.peers': [address] })
  await other.start()
  await other.knows(await root.child.call('members'))
  return [root, other]
}

type Clients = readonly Child<FailingOverMethods>[]

async function startClients(stations: readonly [Station, Station], members: number): Promise<Clients> {
  const clients = Array.from({ length: clientProcesses }, () => new Child<FailingOverMethods>('failing-over'))
  const share = Math.ceil(members / clientProcesses)
  const registries = stations.map(({ address }) => address)
  await Promise.all(
    clients.map(async (client, index) => {
      const from = 1 + index * share
      await client.call('start', registries, from, Math.min(from + share, 1 + members), members)
      await client.call('hold')
      await client.call('heldBy', 0)
    })
  )
  return clients
}

/** Takes the registry away that holds all leases, and starts it again when the other one has them. */
class Failovers {
  readonly #stations: readonly [Station, Station]
  readonly #clients: Clients
  readonly #progress: (text: string) => void
  #holder: 0 | 1 = 0

  constructor(stations: readonly [Station, Station], clients: Clients, progress: (text: string) => void) {
    this.#stations = stations
    this.#clients = clients
    this.#progress = progress
  }

  /** `isConnected`: members have a connection to the other one already, as nodes have to the registries that they know. */
  async run({ isConnected, isFrozen = false }: { isConnected: boolean; isFrozen?: boolean }) {
    const next = this.#holder === 0 ? 1 : 0
    const lost = this.#stations[this.#holder]
    const taker = this.#stations[next]
    if (isConnected) await this.#each((client) => client.call('connect', taker.address))
    await pause(settleMs)
    await this.#each((client) => client.call('troubles'))
    const from = machineMs()
    if (isFrozen) lost.freeze()
    else await lost.kill()
    const times = (await this.#each((client) => client.call('heldBy', next))).flat()
    const troubles = (await this.#each((client) => client.call('troubles'))).flat()
    for (const why of new Set(troubles)) this.#progress(`in between: ${why.slice(0, 200)}`)
    const { offline = 0 } = await taker.child.call('states')
    const known = await taker.child.call('members')
    this.#holder = next
    if (isFrozen) await lost.kill()
    await lost.start()
    await lost.knows(known)
    return {
      seconds: (Math.max(...times) - from) / 1000,
      peak: mostWithinOneSecond(times),
      offline,
      troubles: troubles.length
    }
  }

  async #each<T>(ask: (client: Child<FailingOverMethods>) => Promise<T>): Promise<T[]> {
    return await Promise.all(this.#clients.map(ask))
  }
}

const row = (name: string, what: string): Row => ({
  what,
  unit: 's',
  of: measured(`${name}.seconds`).of,
  beside: [
    measured(`${name}.offline`, 'called offline'),
    measured(`${name}.troubles`, 'tries that failed'),
    measured(`${name}.peak`, 'taken in the busiest second')
  ],
  aim: { text: '< 30 s', met: (figure) => figure < 30 }
})

export const failover: Benchmark = {
  name: 'failover',
  title: 'Failover: the registry that holds all leases dies, or stands still',
  how: `A root and a secondary; members in ${clientProcesses} processes, each with a libp2p host of its own and the lease client of the product, which
beats and finds another registry by itself. The registry that holds all leases gets SIGKILL or SIGSTOP; the time runs from there until the other one has
registered them all. Then it is started again, and next it is the turn of the other one. Limits are the defaults.`,
  parameters: { members: 1_000 },
  quick: { members: 4 },

  async prepare(bench: Bench): Promise<Plan> {
    const { members = 0 } = bench.parameters
    const stations = await startStations(bench, members)
    bench.progress(`registering ${members} members`)
    const clients = await startClients(stations, members)
    const failovers = new Failovers(stations, clients, (text) => bench.progress(text))
    const count = members.toLocaleString('en-US')
    return {
      measures: [
        { name: 'connected', run: () => failovers.run({ isConnected: true }) },
        { name: 'frozen', run: () => failovers.run({ isConnected: true, isFrozen: true }) },
        { name: 'unconnected', run: () => failovers.run({ isConnected: false }) }
      ],
      rows: [
        row('connected', `killed: ${count} members that are connected to the other registry`),
        row('frozen', `frozen: ${count} members that are connected to the other registry`),
        row('unconnected', `killed: ${count} members that must dial it first`)
      ],
      [Symbol.asyncDispose]: async () => await endAll([...stations, ...clients])
    }
  }
}
