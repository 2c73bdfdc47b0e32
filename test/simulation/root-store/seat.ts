import { Root } from '../../../src/registry/log/log-writer.ts'
import { openReplica, type Replica } from '../../../src/registry/log/replica.ts'
import { EngineCommit } from '../../../src/registry/log/root-log/engine-commit.ts'
import { LeaseLostError, type RootLease, type RootLog } from '../../../src/registry/log/root-log/root-log.ts'
import { openDatabase } from '../../../src/registry/store/database.ts'
import { GroupCommit } from '../../../src/registry/store/group-commit.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { beginMs } from '../machine.ts'
import type { Random } from '../random.ts'
import { keys } from '../stage.ts'
import type { World } from '../world.ts'
import type { Audit } from './audit.ts'
import { EngineLink, type EngineWeather } from './engine-link.ts'

export interface SeatInit {
  readonly name: string
  readonly path: string
  readonly engine: RootLog
  readonly weather: EngineWeather
  readonly world: World
  readonly random: Random
  readonly audit: Audit
  readonly note: (line: string) => void
}

/** A process that may be the root: its store, its clock, its way to the engine, and the lease while it has it. */
export class Seat {
  readonly name: string
  readonly #init: SeatInit
  life: Life | undefined
  /** It is cut off from the engine. */
  isCut = false
  /** It is cut off from the others. */
  isAlone = false
  thawsAt = 0
  clockOffsetMs = 0

  constructor(init: SeatInit) {
    this.#init = init
    this.name = init.name
  }

  get isAwake(): boolean {
    return this.life !== undefined && this.thawsAt <= this.#init.world.now
  }

  async start(): Promise<void> {
    this.life ??= await Life.open(this, this.#init)
  }

  crash(): void {
    this.life?.end()
    this.life = undefined
    this.thawsAt = 0
  }
}

/** A process of a seat, from start to crash. */
export class Life {
  readonly root: Root
  readonly replica: Replica
  /** Two ways to the engine, as two connections: one to append, one for the lease. */
  readonly appending: EngineLink
  readonly #asking: EngineLink
  readonly #seat: Seat
  readonly #init: SeatInit
  readonly #close: () => void
  lease: RootLease | undefined
  #isAlive = true

  private constructor(seat: Seat, init: SeatInit, replica: Replica, close: () => void) {
    this.#seat = seat
    this.#init = init
    this.replica = replica
    this.#close = close
    this.appending = this.#link()
    this.#asking = this.#link()
    const log = new EngineCommit({
      engine: this.appending,
      lease: () => this.lease,
      onLease: (before, now) => {
        if (this.lease?.term === before.term) this.#hold(now)
      },
      replica,
      logger: silentLogger,
      pauseMs: 0
    })
    this.root = new Root({ replica, logKey: keys.log, nodeKey: keys.root, logger: silentLogger, log })
    init.audit.follow(seat.name, replica)
  }

  static async open(seat: Seat, init: SeatInit): Promise<Life> {
    const { path, world } = init
    const db = openDatabase(path)
    const commit = new GroupCommit(db)
    const clock = { now: () => beginMs + world.now + seat.clockOffsetMs, monotonic: () => world.now }
    const replica = await openReplica({ db, commit, clock, logger: silentLogger })
    return new Life(seat, init, replica, () => {
      commit.close()
      db.close()
    })
  }

  #link(): EngineLink {
    const { engine, random, weather, world } = this.#init
    const link = new EngineLink({
      engine,
      random,
      weather,
      world,
      reaches: () => !this.#seat.isCut,
      thawsAt: () => this.#seat.thawsAt,
      isAlive: () => this.#isAlive
    })
    world.busy.add(link)
    return link
  }

  /** Renews the lease, or tries to get it, as a seat of a node does. */
  look(): void {
    if (!this.#asking.isIdle) return
    this.#asking.run(
      async () => await (this.lease === undefined ? this.#tryFor() : this.#renew(this.lease)),
      () => {}
    )
  }

  async #renew(lease: RootLease): Promise<void> {
    try {
      await this.#asking.renew(lease)
    } catch (error) {
      if (error instanceof LeaseLostError && this.lease?.term === lease.term) this.#hold(undefined)
    }
  }

  async #tryFor(): Promise<void> {
    const state = await this.#asking.state()
    const { head } = this.replica
    if (state === undefined || state.head.epoch !== head.epoch) return
    if (state.firstN > head.n + 1 && state.head.n > head.n) return
    this.#hold(await this.#asking.acquire(this.#seat.name))
  }

  #hold(lease: RootLease | undefined): void {
    if (lease === undefined && this.lease === undefined) return
    this.lease = lease
    this.#init.note(`${this.#seat.name} ${lease === undefined ? 'is no root any more' : `has term ${lease.term}`}`)
  }

  end(): void {
    this.#isAlive = false
    this.#init.world.busy.delete(this.appending)
    this.#init.world.busy.delete(this.#asking)
    this.#close()
  }
}
