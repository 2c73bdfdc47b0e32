import { join } from 'node:path'
import type { SigningKey } from '../../../src/identity/keys.ts'
import { makeJoin } from '../../../src/registry/objects/join.ts'
import { copyStore } from '../../helpers/faults/store-faults.ts'
import { ModelRootLog } from '../../helpers/registry/model-root-log.ts'
import { beginMs } from '../machine.ts'
import { Random } from '../random.ts'
import { keyNumber, type Stage } from '../stage.ts'
import { World } from '../world.ts'
import { Audit } from './audit.ts'
import type { EngineWeather } from './engine-link.ts'
import { type Life, Seat } from './seat.ts'

/** A seat looks so often at its lease. */
const lookMs = 750
const hourMs = 3_600_000
const membershipMs = 90 * 24 * hourMs
const firstKey = 5000
const keptEntries = 10

/** Weights of what happens. */
const weights = {
  append: 30,
  pull: 10,
  checkpoint: 3,
  crash: 4,
  freeze: 4,
  cut: 4,
  heal: 5,
  alone: 2,
  down: 2,
  weather: 3,
  clockStep: 1,
  trim: 1
} satisfies Record<string, number>

type Action = keyof typeof weights

/** Three processes that may be the root of one network, and the engine that keeps its log. */
export class Schedule {
  readonly world: World
  readonly random: Random
  readonly audit = new Audit()
  readonly engine: ModelRootLog
  readonly weather: EngineWeather = { loss: 0, repeats: 0, delayMs: 20, isDown: false }
  readonly seats: readonly Seat[]
  readonly trace: string[] = []
  /** Members whose admission was acknowledged, with the seat that did so. */
  readonly acknowledged = new Map<SigningKey, string>()
  readonly #networkId: Uint8Array
  #members = 0
  #isCalm = false

  constructor(stage: Stage, seed: number, folder: string) {
    this.random = new Random(seed)
    this.world = new World(this.random)
    this.#networkId = stage.networkId
    const { audit, random, world, weather } = this
    this.engine = new ModelRootLog({ now: () => world.now, monotonic: () => world.now })
    this.seats = ['first', 'second', 'third'].map((name) => {
      const path = join(folder, `${name}.db`)
      copyStore(stage.root, path)
      const note = (line: string): void => this.note(line)
      return new Seat({ name, path, engine: this.engine, weather, world, random, audit, note })
    })
  }

  note(line: string): void {
    this.trace.push(`${this.world.now} ${line}`)
  }

  /** All start, the first one begins the log, and each looks at the lease from now on. */
  async begin(): Promise<void> {
    for (const seat of this.seats) await seat.start()
    const [first] = this.seats
    const replica = first?.life?.replica
    if (replica?.checkpoint === undefined) throw new Error('nothing is signed')
    await this.engine.begin('nobody', { head: replica.head, checkpoint: replica.checkpoint.bytes })
    for (const [i, seat] of this.seats.entries()) this.#lookAt(seat, i * 100)
  }

  #lookAt(seat: Seat, afterMs = lookMs): void {
    this.world.after(afterMs, () => {
      if (seat.isAwake) seat.life?.look()
      this.#lookAt(seat)
    })
  }

  act(): void {
    const action: Action = this.random.weighted(weights)
    this.#actions[action]()
  }

  /** The faults are over: everybody runs, and reaches everybody. */
  calm(): void {
    this.note('the faults end')
    this.#isCalm = true
    Object.assign(this.weather, { loss: 0, repeats: 0, delayMs: 20, isDown: false })
    for (const seat of this.seats) {
      Object.assign(seat, { isCut: false, isAlone: false, thawsAt: 0, clockOffsetMs: 0 })
      this.#restart(seat, 0)
    }
    // A clock that was an hour ahead has signed that time.
    this.world.now += 2 * hourMs
  }

  #restart(seat: Seat, afterMs: number): void {
    this.world.after(afterMs, () => this.world.begin(() => seat.start()))
  }

  /** Admits some members at a seat, at once. */
  append(seat: Seat): void {
    const life = this.#workOf(seat)
    if (life === undefined) return
    const members = Array.from({ length: 1 + this.random.below(3) }, () => keyNumber(firstKey + this.#members++))
    const admit = async (key: SigningKey): Promise<void> => {
      await life.root.append([this.#admission(key)])
      if (seat.life === life) this.acknowledged.set(key, seat.name)
    }
    life.appending.run(
      async () => await Promise.allSettled(members.map(admit)),
      (outcome) => {
        const outcomes = outcome.status === 'fulfilled' ? outcome.value : []
        const failed = outcomes.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []))
        this.note(`${members.length} members at ${seat.name}: ${failed[0] ?? 'admitted'}`)
      }
    )
  }

  #admission(key: SigningKey) {
    const name = `m${this.#members}-${key.publicKey[0]}${key.publicKey[1]}`
    const timeMs = beginMs + this.world.now
    const made = makeJoin({ networkId: this.#networkId, key, name, role: 'integrated', timeMs })
    const notAfterMs = timeMs + membershipMs
    const { publicKey } = key
    const body = { publicKey, name, role: 'integrated' as const, notAfterMs, via: 'approved' as const, join: made }
    return { kind: 'admit' as const, body }
  }

  /** The life of a seat that is free to do something with its log. */
  #workOf(seat: Seat): Life | undefined {
    return seat.isAwake && seat.life?.appending.isIdle === true ? seat.life : undefined
  }

  /** One fetches what another one has, as a secondary does. */
  pull(to: Seat, from: Seat): void {
    const [target, source] = [this.#workOf(to), this.#workOf(from)]
    if (to === from || to.isAlone || from.isAlone || target === undefined || source === undefined) return
    if (target.lease !== undefined || target.replica.head.n >= source.replica.head.n) return
    const entries = source.replica.read(target.replica.head.n, Number.MAX_SAFE_INTEGER).map(({ envelope }) => envelope)
    const checkpoint = source.replica.checkpoint?.bytes
    target.appending.run(
      async () => await target.replica.apply(entries, checkpoint),
      ({ status }) => this.note(`${to.name} follows ${from.name}: ${status}`)
    )
  }

  readonly #actions: Record<Action, () => void> = {
    append: () => {
      const holders = this.seats.filter(({ life }) => life?.lease !== undefined)
      // One that has lost the lease, and does not know it yet, is asked, too.
      this.append(this.random.pick(holders.length > 0 ? holders : this.seats))
    },
    pull: () => this.pull(this.random.pick(this.seats), this.random.pick(this.seats)),
    checkpoint: () => {
      const life = this.#workOf(this.random.pick(this.seats))
      life?.appending.run(
        async () => await life.root.checkpoint(),
        () => {}
      )
    },
    crash: () => {
      const seat = this.random.pick(this.seats)
      // It dies between two things that it does; what it has sent goes on.
      seat.crash()
      this.note(`${seat.name} is killed`)
      this.#restart(seat, this.random.below(8000))
    },
    freeze: () => {
      const seat = this.random.pick(this.seats)
      seat.thawsAt = this.world.now + this.random.below(15_000)
      this.note(`${seat.name} stands still until ${seat.thawsAt}`)
    },
    cut: () => {
      const seat = this.random.pick(this.seats)
      seat.isCut = true
      this.note(`${seat.name} is cut off from the engine`)
    },
    heal: () => {
      for (const seat of this.seats) Object.assign(seat, { isCut: false, isAlone: false })
      this.weather.isDown = false
    },
    alone: () => {
      this.random.pick(this.seats).isAlone = true
    },
    down: () => {
      this.weather.isDown = true
      this.note('the engine is down')
      this.world.after(this.random.below(10_000), () => {
        this.weather.isDown = false
      })
    },
    weather: () => {
      if (this.#isCalm) return
      this.weather.loss = this.random.pick([0, 0.02, 0.2])
      this.weather.repeats = this.random.pick([0, 0.1])
      this.weather.delayMs = this.random.pick([5, 500, 5000, 12_000])
    },
    clockStep: () => {
      this.random.pick(this.seats).clockOffsetMs += this.random.pick([-hourMs, hourMs])
    },
    // No fewer than what a process that was killed may have sent, and nobody has seen yet.
    trim: () => this.engine.trim(keptEntries + this.random.below(10))
  }

  async dispose(): Promise<void> {
    for (const seat of this.seats) seat.crash()
  }
}
