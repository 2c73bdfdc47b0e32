import { setTimeout as sleep } from 'node:timers/promises'
import type { PeerRow, PeersView, StatusView } from '../../node/api/control-api.ts'
import { within } from '../../runtime/abort.ts'
import type { DevNetwork } from '../dev/network.ts'

/** One thing that the drill waited for. */
export interface StepResult {
  readonly step: string
  /** null: not within the time that it was waited for. */
  readonly seconds: number | null
  readonly targetSeconds: number
  readonly met: boolean
}

const lookMs = 50
/** A step that misses its target is waited for so much longer, so that the figure is known. */
const patience = 4
const leastPatienceMs = 30_000

export interface WatchInit {
  signal: AbortSignal
  onStep(result: StepResult): void
}

/** Looks at members of a network, and notes how long it takes until they show something. */
export class Watch {
  readonly results: StepResult[] = []
  readonly #network: DevNetwork
  readonly #init: WatchInit
  #from = performance.now()

  constructor(network: DevNetwork, init: WatchInit) {
    this.#network = network
    this.#init = init
  }

  /** The times of the steps that follow count from now. */
  begin(): void {
    this.#from = performance.now()
  }

  /** Waits until each of the members shows it in its own `peers`. */
  async peers(step: string, target: number, names: readonly string[], shows: (rows: Rows) => boolean): Promise<void> {
    await this.#until(step, target, async () => {
      const views = await Promise.all(names.map((name) => this.#peersOf(name)))
      return views.every((view) => view !== undefined && shows(new Rows(view)))
    })
  }

  /** The same of its `status`. */
  async status(
    step: string,
    target: number,
    names: readonly string[],
    shows: (status: StatusView, name: string) => boolean
  ): Promise<void> {
    await this.#until(step, target, async () => {
      const views = await Promise.all(names.map(async (name) => ({ name, status: await this.statusOf(name) })))
      return views.every(({ name, status }) => status !== undefined && shows(status, name))
    })
  }

  /** Waits until each of the members has what is in the log of the root. No step: it says nothing of the failure. Throws after 30 s. */
  async spread(names: readonly string[]): Promise<void> {
    const signal = within(leastPatienceMs, this.#init.signal)
    const head = async (name: string): Promise<number> => (await this.statusOf(name))?.sync.head ?? -1
    const wanted = await head('root')
    for (const name of names) while ((await head(name)) < wanted) await sleep(lookMs, undefined, { signal })
  }

  /** undefined: it does not answer. */
  async statusOf(name: string): Promise<StatusView | undefined> {
    return await this.#network
      .clientOf(name)
      .status({}, { signal: this.#init.signal })
      .catch(() => undefined)
  }

  async #peersOf(name: string): Promise<PeersView | undefined> {
    return await this.#network
      .clientOf(name)
      .peers({}, { signal: this.#init.signal })
      .catch(() => undefined)
  }

  async #until(step: string, targetSeconds: number, isSo: () => Promise<boolean>): Promise<void> {
    const deadline = this.#from + Math.max(patience * targetSeconds * 1_000, leastPatienceMs)
    let seconds: number | null = null
    while (performance.now() < deadline) {
      this.#init.signal.throwIfAborted()
      if (await isSo()) {
        seconds = (performance.now() - this.#from) / 1_000
        break
      }
      await sleep(lookMs, undefined, { signal: this.#init.signal })
    }
    const result = { step, seconds, targetSeconds, met: seconds !== null && seconds <= targetSeconds }
    this.results.push(result)
    this.#init.onStep(result)
  }
}

/** The rows of one member's view, by name. */
export class Rows {
  readonly #rows: Map<string | null, PeerRow>

  constructor({ peers }: PeersView) {
    this.#rows = new Map(peers.map((row) => [row.name, row]))
  }

  are(state: PeerRow['state'], names: readonly string[]): boolean {
    return names.every((name) => this.#rows.get(name)?.state === state)
  }

  /** Nobody vouches for them any more. */
  areGone(names: readonly string[]): boolean {
    return names.every((name) => !['online', 'late', undefined].includes(this.#rows.get(name)?.state))
  }

  /** Not up, with a reason for it. */
  areDown(names: readonly string[]): boolean {
    return names.every((name) => {
      const row = this.#rows.get(name)
      return row !== undefined && (row.state === 'suspect' || row.state === 'offline') && row.reason !== null
    })
  }
}
