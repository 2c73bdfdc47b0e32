import { setTimeout as sleep } from 'node:timers/promises'
import type { ControlApi } from '../../node/api/control-api.ts'
import { inBackground } from '../../runtime/background.ts'
import type { DevMember } from './layout.ts'
import type { DevNetwork } from './network.ts'
import type { Relays } from './relay.ts'

export type Deed = 'kill' | 'freeze' | 'cut' | 'back'

const lookMs = 250

/** Troubles that a person makes in a network on this machine, and their end. */
export class Trouble {
  readonly #network: DevNetwork
  readonly #relays: Relays | undefined
  readonly #signal: AbortSignal
  readonly #cut = new Set<string>()
  #turn = new AbortController()

  /** `relays` stand before the members where the network can be cut. */
  constructor(network: DevNetwork, relays: Relays | undefined, signal: AbortSignal) {
    this.#network = network
    this.#relays = relays
    this.#signal = signal
  }

  /** Aborted when another member may be the one to ask. */
  get turned(): AbortSignal {
    return this.#turn.signal
  }

  get members(): readonly DevMember[] {
    return this.#network.layout.members
  }

  /** "runs", or what is wrong with it. */
  stateOf(name: string): string {
    const state = this.#network.stateOf(name)
    return state === 'runs' && this.#cut.has(name) ? 'cut off' : state
  }

  async make(deed: Deed, name: string): Promise<void> {
    if (deed === 'kill') await this.#network.kill(name)
    else if (deed === 'freeze') this.#network.freeze(name)
    else if (deed === 'cut') this.#sever(name)
    else this.#bringBack(name)
    this.#next()
  }

  /** Starts one node more. */
  async add(): Promise<string> {
    const member = await this.#network.add()
    await this.#relays?.add(member, () => member)
    await this.#network.enter(member.name, this.#signal)
    return member.name
  }

  /** Client of the first member that answers: the root when it does, one that is cut off only when nobody else does. */
  async viewer(signal: AbortSignal): Promise<ControlApi | undefined> {
    const names = this.members.map(({ name }) => name).filter((name) => this.#network.stateOf(name) === 'runs')
    const order = [...names.filter((name) => !this.#cut.has(name)), ...names.filter((name) => this.#cut.has(name))]
    for (const name of order) {
      const client = this.#network.clientOf(name)
      if (await answers(client, signal)) return client
    }
    return undefined
  }

  #sever(name: string): void {
    if (this.#relays === undefined) throw new Error('Processes can be cut off on Linux alone.')
    this.#cut.add(name)
    this.#relays.cut([...this.#cut].map((one) => [one]))
  }

  #bringBack(name: string): void {
    this.#cut.delete(name)
    this.#relays?.cut([...this.#cut].map((one) => [one]))
    const state = this.#network.stateOf(name)
    if (state === 'frozen') this.#network.thaw(name)
    if (state !== 'ended') return
    this.#network.restart(name)
    inBackground(this.#whenUp(name), 'waiting for a process to be up')
  }

  async #whenUp(name: string): Promise<void> {
    const client = this.#network.clientOf(name)
    while (!this.#signal.aborted && this.#network.stateOf(name) === 'runs') {
      if (await answers(client, this.#signal)) break
      await sleep(lookMs)
    }
    this.#next()
  }

  #next(): void {
    this.#turn.abort()
    this.#turn = new AbortController()
  }
}

const answers = (client: ControlApi, signal: AbortSignal): Promise<boolean> =>
  client.status({}, { signal }).then(
    () => true,
    () => false
  )
