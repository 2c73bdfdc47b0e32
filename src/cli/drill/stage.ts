import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { saveConfigValues } from '../../node/config/index.ts'
import { within } from '../../runtime/abort.ts'
import type { DevMember } from '../dev/layout.ts'
import { DevNetwork } from '../dev/network.ts'
import { freePorts } from '../dev/ports.ts'
import { Relays, type RelayTarget } from '../dev/relay.ts'
import { Watch, type WatchInit } from './watch.ts'

export interface StageInit extends WatchInit {
  env: Readonly<Record<string, string | undefined>>
  /** Members that the drill itself lets in. */
  newcomers: readonly string[]
  /** The network can be cut. */
  relayed: boolean
  /** Its folder stays. */
  keep: boolean
  progress: (line: string) => void
}

/** Nodes that are there before the drill begins, beside root and secondary. */
export const residents = ['node-1', 'node-2', 'node-3'] as const
export const everybody = ['root', 'secondary', ...residents] as const

const settleMs = 180_000
const lookMs = 100

/** The name of the process that pretends to be the root. */
const impostor = 'impostor'

/** A throw-away network for a drill: root, secondary and three nodes, all online. */
export class Stage implements AsyncDisposable {
  readonly network: DevNetwork
  readonly watch: Watch
  readonly #relays: Relays | undefined
  /** Whom the impostor serves instead of the root, and at which port. */
  #deceived: { names: readonly string[]; port: number } | undefined

  private constructor(network: DevNetwork, watch: Watch, relays: Relays | undefined) {
    this.network = network
    this.watch = watch
    this.#relays = relays
  }

  static async open(init: StageInit): Promise<Stage> {
    const { env, signal, progress, newcomers, relayed, keep } = init
    const nodes = residents.length + newcomers.length
    const network = await DevNetwork.open({ nodes, dir: undefined, env, signal, progress, relayed, later: newcomers })
    const relays = relayed ? new Relays(() => network.pids()) : undefined
    const stage = new Stage(network, new Watch(network, init), relays)
    try {
      for (const member of network.layout.members) await relays?.add(member, (from) => stage.#targetOf(member, from))
      await network.start()
      await stage.#settle(signal)
      // From here on the drill ends processes, and looks at the rest itself.
      network.onDeath(progress)
      return stage
    } catch (error) {
      await stage[Symbol.asyncDispose]()
      await stage.putAway({ keep: keep || !signal.aborted, progress })
      throw error
    }
  }

  /** After its end. */
  async putAway({ keep, progress }: { keep: boolean; progress: (line: string) => void }): Promise<void> {
    const { folder } = this.network.layout
    if (keep) progress(`state and logs are kept in ${folder}`)
    else await rm(folder, { recursive: true, force: true })
  }

  /** Members of different sides do not hear each other any more. */
  cut(sides: readonly (readonly string[])[]): void {
    this.#relays?.cut(sides)
  }

  heal(): void {
    this.#relays?.heal()
  }

  /** A copy of the root, as from a backup, with its keys: it is the root for those members. */
  async deceive(names: readonly string[]): Promise<void> {
    const { layout } = this.network
    const folder = join(layout.folder, impostor)
    const configFile = join(layout.folder, `${impostor}.yaml`)
    await this.network.stop('root')
    await cp(layout.root.dataFolder, folder, { recursive: true })
    await cp(layout.root.configFile, configFile)
    this.network.restart('root')
    const [port = 0] = await freePorts(1)
    saveConfigValues(configFile, {
      'listen.port': port,
      'paths.data': folder,
      'paths.runtime': join(layout.folder, `${impostor}-run`)
    })
    this.network.run({
      ...layout.root,
      name: impostor,
      configFile,
      logFile: join(layout.folder, 'log', `${impostor}.log`)
    })
    this.#deceived = { names: [...names, impostor], port }
    this.#relays?.drop('root')
  }

  /** The impostor is gone; who followed it finds the root again. */
  async undeceive(): Promise<void> {
    this.#deceived = undefined
    await this.network.kill(impostor)
    this.#relays?.drop(impostor)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.network[Symbol.asyncDispose]()
    await this.#relays?.[Symbol.asyncDispose]()
  }

  /**
   * In the moment of its start the root holds its lease at whoever came first; a network that has been up is watched by its secondary,
   * which invites name, too.
   */
  async #settle(signal: AbortSignal): Promise<void> {
    const late = within(settleMs, signal)
    for (;;) {
      const registry = (await this.watch.statusOf('root'))?.registry
      if (registry?.lease?.name === 'secondary' && registry.known >= 1) return
      await sleep(lookMs, undefined, { signal: late })
    }
  }

  #targetOf(member: DevMember, from: string | undefined): RelayTarget {
    const deceived = this.#deceived
    if (member.role !== 'root' || deceived === undefined || !deceived.names.some((name) => name === from)) return member
    return { name: impostor, port: deceived.port }
  }
}
