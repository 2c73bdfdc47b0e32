import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Authority } from '../../dns/authority.ts'
import { Zone } from '../../dns/zone.ts'
import { isRegistryRole } from '../../identity/role.ts'
import { controlClient } from '../../node/api/client.ts'
import type { ControlApi, Output } from '../../node/api/control-api.ts'
import { type Config, loadConfig, saveConfigValue } from '../../node/config/index.ts'
import { either } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { changes } from '../output/changes.ts'
import { ExitError, exitCodes } from '../output/exit.ts'
import { Child, type ChildEnd } from './child.ts'
import {
  addNode,
  type DevMember,
  devDomain,
  type Layout,
  type LayoutInit,
  layOut,
  writeConfig,
  writeConfigs
} from './layout.ts'
import { dropNote, noteChild } from './left-over.ts'
import { Patience } from './patience.ts'

/** One process more is up or online within this time; some fifty times what it takes on two cores. */
const stepMs = 120_000
const retryMs = 50

/** Tells whether all are online and have shown their records: a lease may be there a moment before. */
const isComplete = (view: Output<'peers'>): boolean =>
  view.peers.every(({ state, version }) => state !== 'online' || version !== null)

export interface DevInit extends LayoutInit {
  /** Names of members that are started later, by `enter`. */
  later?: readonly string[]
  env: Readonly<Record<string, string | undefined>>
  signal: AbortSignal
  progress(line: string): void
}

/** A whole network on this machine: a name server in this process, everything else as real processes. */
export class DevNetwork implements AsyncDisposable {
  readonly layout: Layout
  /** Speaks to the root. */
  readonly client: ControlApi
  /** Rejects when a process dies before it was asked to stop. */
  readonly failed: Promise<never>
  readonly #init: DevInit
  readonly #zone: Zone
  readonly #dnsPort: number
  #dns: Authority | undefined
  #networkId: string | undefined
  readonly #children = new Map<string, Child>()
  /** Files with invites, by the name of the member. */
  readonly #invites = new Map<string, string>()
  readonly #started = performance.now()
  #patience: Patience | undefined
  #fail: (error: Error) => void = () => undefined

  private constructor(init: DevInit, layout: Layout, dns: Authority) {
    this.#init = init
    this.layout = layout
    this.#zone = dns.zone
    this.#dnsPort = dns.port
    this.#dns = dns
    this.client = controlClient({ path: layout.root.socket })
    this.failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.failed.catch(() => undefined)
  }

  static async open(init: DevInit): Promise<DevNetwork> {
    const layout = await layOut(init)
    const zone = new Zone(devDomain)
    zone.set(`tnr.${devDomain}`, [{ type: 'AAAA', value: '::1' }])
    const dns = await Authority.start(zone)
    writeConfigs(layout, dns.port)
    return new DevNetwork(init, layout, dns)
  }

  /** Resolves when every member is online in the root's view. */
  async start(): Promise<Output<'peers'>> {
    using patience = new Patience(stepMs)
    this.#patience = patience
    const signal = either(this.#init.signal, patience.signal)
    try {
      return await Promise.race([this.#start(signal), this.failed])
    } catch (error) {
      if (!patience.signal.aborted) throw error
      const after = `${stepMs / 1000} s in which nothing moved on`
      throw new ExitError(exitCodes.timeout, `Not everybody came online, after ${after}; ${this.logs()}`)
    }
  }

  /** Tells what happens to processes after the start; it is not thrown. */
  onDeath(listener: (message: string) => void): void {
    this.#died = listener
  }
  #died: ((message: string) => void) | undefined

  async [Symbol.asyncDispose](): Promise<void> {
    // Nodes first: they say goodbye to the registries, which are still there to hear it.
    const children = [...this.#children.values()]
    const registries = children.filter(({ name }) => name === 'root' || name === 'secondary')
    const nodes = children.filter((child) => !registries.includes(child))
    await Promise.all(nodes.map((child) => child.stop()))
    await Promise.all(registries.map((child) => child.stop()))
    dropNote(this.layout.folder)
    await this.stopDns()
  }

  async #start(signal: AbortSignal): Promise<Output<'peers'>> {
    const { root, members } = this.layout
    await this.#found(root)
    this.#spawn(root, ['registry', 'start', '--config', root.configFile])
    await this.#answers(signal)
    this.#say('root is up')
    const others = members.filter((member) => member !== root && !this.#isLater(member))
    await Promise.all(others.map((member) => this.enter(member.name, signal)))
    const view = await this.#allOnline(signal)
    await Promise.all([...this.#invites.values()].map((file) => rm(file)))
    this.#invites.clear()
    return view
  }

  async #found(root: DevMember): Promise<void> {
    const { members, homes } = this.layout
    const { config } = loadConfig({ file: root.configFile, env: { TRUSTNET_HOME: homes.config } })
    const networkId = root.known ? config.networkId : await this.#create(config)
    this.#networkId = networkId
    // Members that are new in this run have no pin yet.
    for (const { configFile } of members) saveConfigValue(configFile, 'networkId', networkId)
  }

  async #create(config: Config): Promise<string> {
    const { createNetworkHere } = await import('../../node/offline/create-network.ts')
    const { networkId } = await createNetworkHere(config, { newNetwork: true })
    this.#say(`network ${devDomain} is made: ${networkId}`)
    return networkId
  }

  #isLater({ name }: DevMember): boolean {
    return this.#init.later?.includes(name) === true
  }

  /** @throws RangeError there is no such member */
  member(name: string): DevMember {
    const member = this.layout.members.find((each) => each.name === name)
    if (member === undefined) throw new RangeError(`no member ${name}`)
    return member
  }

  clientOf(name: string): ControlApi {
    return controlClient({ path: this.member(name).socket, timeoutMs: 5_000 })
  }

  /** Process ids of those that run, by name. */
  pids(): Map<string, number> {
    const pids = new Map<string, number>()
    for (const [name, { pid }] of this.#children) if (pid !== undefined) pids.set(name, pid)
    return pids
  }

  stateOf(name: string): 'runs' | 'frozen' | 'ended' {
    const child = this.#children.get(name)
    if (child === undefined) return 'ended'
    return child.frozen ? 'frozen' : 'runs'
  }

  freeze(name: string): void {
    this.#children.get(name)?.freeze()
  }

  thaw(name: string): void {
    this.#children.get(name)?.thaw()
  }

  /** Lays out one node more, which `enter` starts. */
  async add(): Promise<DevMember> {
    const member = await addNode(this.layout)
    writeConfig(this.layout, member, this.#dnsPort)
    saveConfigValue(member.configFile, 'networkId', this.#networkId)
    return member
  }

  /** Ends a process at once, without a goodbye. */
  async kill(name: string): Promise<void> {
    await this.#children.get(name)?.kill()
    this.#children.delete(name)
  }

  async stop(name: string): Promise<void> {
    await this.#children.get(name)?.stop()
    this.#children.delete(name)
  }

  /** Starts a member that was there before. */
  restart(name: string): void {
    this.run(this.member(name))
  }

  run(member: DevMember): void {
    const { role, configFile } = member
    this.#spawn(member, [isRegistryRole(role) ? 'registry' : 'node', 'start', '--config', configFile])
  }

  /** Nobody answers for the domain any more. */
  async stopDns(): Promise<void> {
    const dns = this.#dns
    this.#dns = undefined
    await dns?.[Symbol.asyncDispose]()
  }

  async startDns(): Promise<void> {
    this.#dns = await Authority.start(this.#zone, this.#dnsPort)
  }

  /** Starts a member for the first time, or again. */
  async enter(name: string, signal: AbortSignal): Promise<void> {
    const member = this.member(name)
    if (!member.known && member.entry === 'invite') await this.invite(name, signal)
    const file = this.#invites.get(name)
    if (file === undefined) this.restart(name)
    else this.#spawn(member, ['join', file, '--config', member.configFile])
  }

  /** Has the root invite a member that is to enter; it does so with the invite from then on. */
  async invite(name: string, signal: AbortSignal): Promise<void> {
    if (this.#invites.has(name)) return
    const { line } = await this.client.invite({ role: this.member(name).role, name }, { signal })
    const file = join(this.layout.folder, `${name}.invite`)
    await writeFile(file, `${line}\n`, { mode: 0o600 })
    this.#invites.set(name, file)
  }

  #spawn(member: DevMember, args: string[]): void {
    if (this.#init.signal.aborted) return
    const { name, logFile } = member
    const child = new Child({ name, args, home: this.layout.folder, logFile, env: this.#init.env })
    this.#children.set(name, child)
    noteChild(this.layout.folder, child.pid)
    inBackground(
      child.ended.then((end) => this.#onEnd(child, end)),
      'telling the end of a process'
    )
  }

  #onEnd(child: Child, end: ChildEnd): void {
    if (this.#children.get(child.name) === child) this.#children.delete(child.name)
    if (child.stopping || this.#init.signal.aborted) return
    const message = child.obituary(end)
    if (this.#died === undefined) this.#fail(new ExitError(exitCodes.failure, message))
    else this.#died(message)
  }

  async #answers(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      const status = await this.client.status({}, { signal }).catch(() => undefined)
      if (status?.membership.state === 'member') return
      await sleep(retryMs, undefined, { signal })
    }
  }

  async #allOnline(signal: AbortSignal): Promise<Output<'peers'>> {
    const wanted = this.layout.members.filter((member) => !this.#isLater(member)).length
    let online = 0
    for await (const _ of changes(this.client, { signal, everyMs: 250 })) {
      const view = await this.client.peers({}, { signal })
      if (view.counts.online !== online) this.#say(`${view.counts.online} of ${wanted} online`)
      online = view.counts.online
      if (online >= wanted && isComplete(view)) return view
    }
    signal.throwIfAborted()
    throw new ExitError(exitCodes.failure, `The root stopped answering; ${this.logs()}`)
  }

  /** Says where to read on when something went wrong. */
  logs(): string {
    return `see the logs in ${join(this.layout.folder, 'log')}`
  }

  #say(line: string): void {
    this.#patience?.renew()
    this.#init.progress(`${((performance.now() - this.#started) / 1000).toFixed(1).padStart(5)}s  ${line}`)
  }
}
