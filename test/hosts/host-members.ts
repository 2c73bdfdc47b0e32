import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { controlClient } from '../../src/node/api/client.ts'
import type { ControlApi, PeerRow, PeersView, StatusView } from '../../src/node/api/control-api.ts'
import type { HostNetwork } from './host-network.ts'

const program = resolve('dist/bin/trustnet.js')
const lookMs = 100

export type Rows = ReadonlyMap<string | null, PeerRow>

/** Real processes of the built program, one a host, named as their hosts; each is asked through its socket, which no cable carries. */
export class HostMembers {
  readonly network: HostNetwork
  readonly domain: string
  /** More of the environment of single ones. */
  readonly env = new Map<string, NodeJS.ProcessEnv>()
  #networkId = ''
  /** The same of all. */
  readonly #more: NodeJS.ProcessEnv
  readonly #running = new Map<string, ChildProcess>()

  constructor(network: HostNetwork, domain: string, env: NodeJS.ProcessEnv = {}) {
    if (!existsSync(program)) throw new Error('dist is missing: npm run build')
    this.network = network
    this.domain = domain
    this.#more = env
  }

  /** Makes the network, open for nodes; `registry` starts its root. */
  found(): void {
    const args = ['--name', 'root', '--domain', this.domain, '--policy', 'open', '--new-network', '--json']
    const { networkId }: { networkId: string } = JSON.parse(this.cli('root', 'init', ...args))
    this.#networkId = networkId
  }

  node(name: string): void {
    this.start(name, 'node', 'start', '--name', name, '--domain', this.domain, '--network', this.#networkId)
  }

  /** A node that knows the address of a registry. */
  nodeAt(name: string, peer: string, ...more: string[]): void {
    const network = ['--domain', this.domain, '--network', this.#networkId, '--peer', peer]
    this.start(name, 'node', 'start', '--name', name, ...network, ...more)
  }

  /** Root, or a secondary that has joined before. */
  registry(name: string): void {
    this.start(name, 'registry', 'start', '--name', name)
  }

  /** A member with an invite of the running root. */
  async join(name: string, role: 'secondary' | 'integrated'): Promise<void> {
    const { line } = await this.client('root').invite({ role, name })
    this.start(name, 'join', line)
  }

  /** The names of those that run. */
  get names(): string[] {
    return [...this.#running.keys()]
  }

  cli(name: string, ...args: string[]): string {
    return this.pipe(name, undefined, ...args)
  }

  /** What a command prints that is given this on its standard input. */
  pipe(name: string, input: string | undefined, ...args: string[]): string {
    return this.network.run(name, [process.execPath, program, ...args], this.#env(name), input)
  }

  start(name: string, ...args: string[]): void {
    const child = this.network.start(name, name, [process.execPath, program, ...args], this.#env(name))
    this.#running.set(name, child)
    child.once('exit', () => {
      if (this.#running.get(name) === child) this.#running.delete(name)
    })
  }

  signal(name: string, signal: NodeJS.Signals): void {
    const child = this.#running.get(name)
    if (child === undefined) throw new Error(`${name} does not run: ${this.network.log(name, name).slice(-1000)}`)
    child.kill(signal)
  }

  /** Resolves when the process is gone. */
  async end(name: string, signal: NodeJS.Signals): Promise<void> {
    const child = this.#running.get(name)
    this.signal(name, signal)
    if (child !== undefined) await once(child, 'exit')
  }

  client(name: string): ControlApi {
    const path = join(this.network.host(name).folder, 'home', 'run', `${name}.sock`)
    return controlClient({ path, timeoutMs: 5_000 })
  }

  /** Resolves with the seconds until the last of them shows it in its own `peers`. */
  async peers(
    names: readonly string[],
    limitMs: number,
    shows: (rows: Rows, name: string) => boolean
  ): Promise<number> {
    return this.#all(names, limitMs, shows, async (name) => rowsOf(await this.client(name).peers()), said)
  }

  /** The same of `status`. */
  async status(
    names: readonly string[],
    limitMs: number,
    shows: (status: StatusView, name: string) => boolean
  ): Promise<number> {
    const told = ({ word, summary, phase, warnings }: StatusView) => JSON.stringify({ word, summary, phase, warnings })
    return this.#all(names, limitMs, shows, (name) => this.client(name).status(), told)
  }

  async #all<T>(
    names: readonly string[],
    limitMs: number,
    shows: (view: T, name: string) => boolean,
    ask: (name: string) => Promise<T>,
    tell: (view: T) => string
  ): Promise<number> {
    const from = performance.now()
    const wait = async (name: string): Promise<void> => {
      for (;;) {
        const { view, error } = await looked(ask(name))
        if (view !== undefined && shows(view, name)) return
        if (performance.now() - from > limitMs) throw new Error(`${name}: ${view === undefined ? error : tell(view)}`)
        await sleep(lookMs)
      }
    }
    const ends = await Promise.allSettled(names.map(wait))
    const failures = ends.filter((end) => end.status === 'rejected').map(({ reason }) => String(reason))
    if (failures.length > 0)
      throw new Error(
        `${failures.length} of ${names.length} do not show within ${limitMs / 1000} s ${shows.toString()}:\n${failures.join('\n')}`
      )
    return (performance.now() - from) / 1000
  }

  #env(name: string): NodeJS.ProcessEnv {
    return { ...this.#more, ...this.env.get(name), TRUSTNET_HOME: join(this.network.host(name).folder, 'home') }
  }
}

const rowsOf = ({ peers }: PeersView): Rows => new Map(peers.map((row) => [row.name, row]))

/** Rows that are not online, and who says so. */
const said = (rows: Rows): string => {
  const down = [...rows.values()].filter(({ state }) => state !== 'online')
  const told = down.map(({ name, state, reason, stateSource, registry, seq }) => {
    return `${name} ${state} (${reason ?? 'no reason'}; says ${stateSource?.name}; seq ${seq} names ${registry?.name})`
  })
  return [`${rows.size - down.length} online`, ...told].join(', ')
}

/** A member that is not up yet, or frozen, is asked again. */
const looked = async <T>(view: Promise<T>): Promise<{ view?: T; error?: string }> => {
  try {
    return { view: await view }
  } catch (error) {
    return { error: String(error) }
  }
}
