import { Child, endAll } from '../harness/child.ts'
import { type Pace, slower } from '../harness/pace.ts'
import { quantile } from '../harness/spread.ts'
import type { HonestMethods } from '../processes/honest.ts'
import type { SoakingMethods } from '../processes/soaking.ts'
import { poisoned } from './attacks/records.ts'
import { ms } from './units.ts'
import { inNamespace, type Judgement, type Victims } from './victims.ts'

const honest = 2
/** Time of a lookup, on a machine of the usual pace. */
const p99Ms = 250

export interface Work {
  readonly lookups: number
  readonly joins: number
  /** The lookups are spread over so long. */
  readonly lastsMs: number
}

interface Done {
  readonly asked: { ms: number[]; seqs: number[]; failed: string[]; walls: number[] }
  readonly joined: { times: number[]; failed: string[] }
}

/** A member that asks for others, and machines that join, in processes of their own. */
export class HonestWork implements AsyncDisposable {
  readonly #worker: Child<HonestMethods>
  readonly #joiners: Child<SoakingMethods>
  readonly #folder: string
  #joined: string[] = []

  private constructor(namespace: string | undefined, folder: string) {
    this.#worker = new Child<HonestMethods>('honest', inNamespace(namespace))
    this.#joiners = new Child<SoakingMethods>('soaking', inNamespace(namespace))
    this.#folder = folder
  }

  static async start({ target }: Victims, namespace: string | undefined, folder: string): Promise<HonestWork> {
    const work = new HonestWork(namespace, folder)
    await work.#worker.call('open', target, honest)
    return work
  }

  async pace(): Promise<Pace> {
    return await this.#worker.pace()
  }

  async run(attack: string, { lookups, joins, lastsMs }: Work, victims: Victims): Promise<Done> {
    const [asked, joined] = await Promise.all([
      this.#worker.call('lookups', lookups, poisoned, lastsMs),
      this.#join(attack, joins, victims.memberFlags)
    ])
    return { asked, joined }
  }

  /** Those that joined leave again. */
  async leave(): Promise<void> {
    await Promise.all(this.#joined.splice(0).map((name) => this.#joiners.call('stop', name)))
  }

  /** New nodes, one after the other. Gives the ms of each, and why others did not get in. */
  async #join(attack: string, joins: number, flags: Record<string, unknown>): Promise<Done['joined']> {
    const times: number[] = []
    const failed: string[] = []
    for (let index = 0; index < joins; index++) {
      const from = performance.now()
      const name = `${attack.replaceAll(/[^a-z]+/g, '-')}-joiner-${index}`
      this.#joined.push(name)
      try {
        await this.#joiners.call('start', this.#folder, name, flags)
        await this.#joiners.call('joined', name)
        times.push(performance.now() - from)
      } catch (error) {
        failed.push(`a join failed: ${String(error).split('\n')[0]}`)
      }
    }
    return { times, failed }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endAll([this.#worker, this.#joiners])
  }
}

/** All of it done, and lookups as fast as this machine can. */
export function judgeWork({ asked, joined }: Done, lookups: number, before: Pace, after: Pace): Judgement {
  // Attackers, victims and whoever is honest share the processors here.
  const mostMs = p99Ms * Math.max(slower(before, after).wall, quantile(asked.walls, 0.5))
  const p99 = quantile(asked.ms, 0.99)
  const times = `p50 ${ms(quantile(asked.ms, 0.5))}, p99 ${ms(p99)} of ${ms(mostMs)}, max ${ms(Math.max(...asked.ms))}`
  const joins = `${joined.times.length} joins, p50 ${ms(quantile(joined.times, 0.5))}, max ${ms(Math.max(...joined.times))}`
  const faults = [...asked.failed, ...joined.failed]
  const late = p99 > mostMs ? [`the p99 of honest lookups is ${ms(p99)}, where ${ms(mostMs)} are allowed`] : []
  if (asked.seqs.some((seq) => seq !== 1)) faults.push('the record of another was replaced')
  return { lines: [`honest  ${asked.ms.length}/${lookups} lookups, ${times}; ${joins}`], faults, late }
}
