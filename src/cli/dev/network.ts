import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Authority } from '../../dns/authority.ts'
import { Zone } from '../../dns/zone.ts'
import { type Config, loadConfig, saveConfigValue } from '../../node/config/index.ts'
import type { PeersView } from '../../node/control/api.ts'
import { ControlClient } from '../../node/control/client.ts'
import { changes } from '../changes.ts'
import { ExitError, exitCodes } from '../exit.ts'
import { Child, type ChildEnd } from './child.ts'
import { type DevMember, devDomain, type Layout, layOut, writeConfigs } from './layout.ts'

/** From nothing to everybody online; ten times what it takes on two cores. */
const startMs = 60_000
const retryMs = 50

/** Whoever is online has shown its record too: a lease may be there a moment before. */
const isComplete = (view: PeersView): boolean =>
  view.peers.every(({ state, version }) => state !== 'online' || version !== null)

export interface DevInit {
  nodes: number
  dir: string | undefined
  env: Readonly<Record<string, string | undefined>>
  signal: AbortSignal
  progress(line: string): void
}

/** A whole network on this machine: a name server in this process, everything else as real processes. */
export class DevNetwork implements AsyncDisposable {
  readonly layout: Layout
  /** Speaks to the root. */
  readonly client: ControlClient
  /** Rejects when a process dies before it was asked to stop. */
  readonly failed: Promise<never>
  readonly #init: DevInit
  readonly #dns: Authority
  readonly #children: Child[] = []
  readonly #invites: string[] = []
  readonly #started = performance.now()
  #fail: (error: Error) => void = () => undefined

  private constructor(init: DevInit, layout: Layout, dns: Authority) {
    this.#init = init
    this.layout = layout
    this.#dns = dns
    this.client = new ControlClient({ path: layout.root.socket })
    this.failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.failed.catch(() => undefined)
  }

  static async open(init: DevInit): Promise<DevNetwork> {
    const layout = await layOut(init.nodes, init.dir)
    const zone = new Zone(devDomain)
    zone.set(`tnr.${devDomain}`, [{ type: 'AAAA', value: '::1' }])
    const dns = await Authority.start(zone)
    writeConfigs(layout, dns.port)
    return new DevNetwork(init, layout, dns)
  }

  /** Resolves when every member is online in the root's view. */
  async start(): Promise<PeersView> {
    const late = AbortSignal.timeout(startMs)
    const signal = AbortSignal.any([this.#init.signal, late])
    try {
      return await Promise.race([this.#start(signal), this.failed])
    } catch (error) {
      if (late.aborted)
        throw new ExitError(exitCodes.timeout, `Not everybody was online within ${startMs / 1000} s; ${this.logs()}`)
      throw error
    }
  }

  /** What happens to processes after the start is told, not thrown. */
  onDeath(listener: (message: string) => void): void {
    this.#died = listener
  }
  #died: ((message: string) => void) | undefined

  async [Symbol.asyncDispose](): Promise<void> {
    // Nodes first: they say goodbye to the registries, which are still there to hear it.
    const registries = this.#children.filter(({ name }) => name === 'root' || name === 'secondary')
    const nodes = this.#children.filter((child) => !registries.includes(child))
    await Promise.all(nodes.map((child) => child.stop()))
    await Promise.all(registries.map((child) => child.stop()))
    await this.#dns[Symbol.asyncDispose]()
  }

  async #start(signal: AbortSignal): Promise<PeersView> {
    const { root, members } = this.layout
    await this.#found(root)
    this.#spawn(root, ['registry', 'start', '--config', root.configFile])
    await this.#answers(signal)
    this.#say('root is up')
    await Promise.all(members.filter((member) => member !== root).map((member) => this.#enter(member, signal)))
    const view = await this.#allOnline(signal)
    await Promise.all(this.#invites.map((file) => rm(file)))
    return view
  }

  async #found(root: DevMember): Promise<void> {
    const { members, homes } = this.layout
    const { config } = loadConfig({ file: root.configFile, env: { TRUSTNET_HOME: homes.config } })
    const networkId = root.known ? config.networkId : await this.#create(config)
    // Members that are new in this run have no pin yet.
    for (const { configFile } of members) saveConfigValue(configFile, 'networkId', networkId)
  }

  async #create(config: Config): Promise<string> {
    const { createNetworkHere } = await import('../../node/network-init.ts')
    const { networkId } = await createNetworkHere(config, { newNetwork: true })
    this.#say(`network ${devDomain} is made: ${networkId}`)
    return networkId
  }

  async #enter(member: DevMember, signal: AbortSignal): Promise<void> {
    const config = ['--config', member.configFile]
    if (member.entry === 'tnr' || member.known) {
      this.#spawn(member, [member.role === 'secondary' ? 'registry' : 'node', 'start', ...config])
      return
    }
    const { line } = await this.client.invite({ role: member.role, name: member.name }, { signal })
    const file = join(this.layout.folder, `${member.name}.invite`)
    await writeFile(file, `${line}\n`, { mode: 0o600 })
    this.#invites.push(file)
    this.#spawn(member, ['join', file, ...config])
  }

  #spawn(member: DevMember, args: string[]): void {
    if (this.#init.signal.aborted) return
    const { name, logFile } = member
    const child = new Child({ name, args, home: this.layout.folder, logFile, env: this.#init.env })
    this.#children.push(child)
    void child.ended.then((end) => this.#onEnd(child, end))
  }

  #onEnd(child: Child, end: ChildEnd): void {
    if (child.stopping || this.#init.signal.aborted) return
    const message = child.obituary(end)
    if (this.#died === undefined) this.#fail(new ExitError(exitCodes.failure, message))
    else this.#died(message)
  }

  async #answers(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      const status = await this.client.status({ signal }).catch(() => undefined)
      if (status?.membership.state === 'member') return
      await sleep(retryMs, undefined, { signal })
    }
  }

  async #allOnline(signal: AbortSignal): Promise<PeersView> {
    const wanted = this.layout.members.length
    let online = 0
    for await (const _ of changes(this.client, { signal, everyMs: 250 })) {
      const view = await this.client.peers({ signal })
      if (view.counts.online !== online) this.#say(`${view.counts.online} of ${wanted} online`)
      online = view.counts.online
      if (online >= wanted && isComplete(view)) return view
    }
    signal.throwIfAborted()
    throw new ExitError(exitCodes.failure, `The root stopped answering; ${this.logs()}`)
  }

  /** Where to read on when something went wrong. */
  logs(): string {
    return `see the logs in ${join(this.layout.folder, 'log')}`
  }

  #say(line: string): void {
    this.#init.progress(`${((performance.now() - this.#started) / 1000).toFixed(1).padStart(5)}s  ${line}`)
  }
}
