import { AsyncLocalStorage } from 'node:async_hooks'
import { join } from 'node:path'
import type { SigningKey } from '../../src/identity/keys.ts'
import type { Role } from '../../src/identity/role.ts'
import { SyncCursors } from '../../src/protocols/sync/cursors.ts'
import { RecordContents } from '../../src/protocols/sync/record-content.ts'
import type { SyncTarget } from '../../src/protocols/sync/source.ts'
import type { Forward } from '../../src/registry/admission/root-request-queue.ts'
import { openRegistry, type Registry } from '../../src/registry/registry.ts'
import { copyStore, crashStore, unwatchStore } from '../helpers/faults/store-faults.ts'
import type { Busy, World } from './world.ts'

/** When every simulated clock says this, the simulation begins. */
export const beginMs = 1_700_000_000_000

/** Something that a process is asked to do; `waiting`: for answers of other machines. */
interface Call {
  waiting: number
}

const callOf = new AsyncLocalStorage<Call>()

/** One life of a registry, from start to crash. */
export class Life implements Busy {
  readonly registry: Registry
  readonly cursors: SyncCursors
  readonly refreshes = new RecordContents()
  isAlive = true
  readonly #calls = new Set<Call>()

  constructor(registry: Registry) {
    this.registry = registry
    this.cursors = new SyncCursors(registry.replica.events)
    registry.events.addEventListener('record', ({ detail }) => {
      this.refreshes.note(detail.record.value, detail.change)
    })
    registry.events.addEventListener('ended', ({ detail }) => this.refreshes.forget(detail.publicKey))
  }

  /** A record that waits for its admission waits for somebody else. */
  get active(): number {
    if (!this.isAlive) return 0
    let moving = 0
    for (const { waiting } of this.#calls) if (waiting === 0) moving++
    return moving - this.registry.records.held
  }

  async track<T>(work: () => Promise<T>): Promise<T> {
    const call: Call = { waiting: 0 }
    this.#calls.add(call)
    try {
      return await callOf.run(call, work)
    } finally {
      this.#calls.delete(call)
    }
  }

  /** While `work` waits for another machine, the call that it belongs to is at rest. */
  async elsewhere<T>(work: Promise<T>): Promise<T> {
    const call = callOf.getStore()
    if (call !== undefined) call.waiting++
    try {
      return await work
    } finally {
      if (call !== undefined) call.waiting--
    }
  }

  /** What sync writes to, with each record tracked. */
  get target(): SyncTarget {
    const { networkId, replica, cosignatures, records, liveness } = this.registry
    const put: SyncTarget['records']['put'] = (bytes, options) => this.track(() => records.put(bytes, options))
    return {
      networkId,
      replica,
      cosignatures,
      liveness,
      records: { put, prepareDigest: () => records.prepareDigest(), digest: () => records.digest() }
    }
  }
}

export interface MachineInit {
  world: World
  name: string
  folder: string
  key: SigningKey
  role: Role
  logKey?: SigningKey
  /** A store to begin with. */
  template: string
  forward: (from: Machine) => Forward
  onStart: (machine: Machine, life: Life) => void
}

/** A computer with a disk, on which a registry starts and crashes. */
export class Machine {
  readonly name: string
  readonly key: SigningKey
  readonly #init: MachineInit
  readonly #closing: Promise<void>[] = []
  #path: string
  #disks = 0
  role: Role
  logKey: SigningKey | undefined
  /** Its wall clock is so wrong. */
  clockOffsetMs = 0
  process: Life | undefined
  /** Its disk is gone for good. */
  isLost = false

  constructor(init: MachineInit) {
    this.name = init.name
    this.key = init.key
    this.role = init.role
    this.logKey = init.logKey
    this.#init = init
    this.#path = this.#nextPath()
    copyStore(init.template, this.#path)
  }

  #nextPath(): string {
    return join(this.#init.folder, `${this.name}-${this.#disks++}.db`)
  }

  async start(): Promise<void> {
    if (this.process !== undefined || this.isLost) return
    const { world, onStart } = this.#init
    const ask = this.#init.forward(this)
    let life: Life | undefined
    const forward: Forward = (request) =>
      life?.isAlive === true ? life.elsewhere(ask(request)) : new Promise(() => {})
    const registry = await openRegistry(
      {
        path: this.#path,
        role: this.role,
        nodeKey: this.key,
        ...(this.logKey !== undefined && { root: { logKey: this.logKey } })
      },
      { clock: { now: () => beginMs + world.now + this.clockOffsetMs, monotonic: () => world.now } }
    )
    registry.admission.forward = forward
    life = new Life(registry)
    this.process = life
    world.busy.add(life)
    onStart(this, life)
  }

  /** Runs `work` in the process; `done` is told what came of it, unless the process dies first. */
  call<T>(work: (registry: Registry) => Promise<T>, done: (outcome: PromiseSettledResult<T>) => void = () => {}): void {
    if (this.process !== undefined) void this.#call(this.process, work, done)
  }

  async #call<T>(
    life: Life,
    work: (registry: Registry) => Promise<T>,
    done: (outcome: PromiseSettledResult<T>) => void
  ): Promise<void> {
    const [outcome] = await life.track(() => Promise.allSettled([work(life.registry)]))
    if (life.isAlive) done(outcome)
  }

  /** The process dies now, between two statements. */
  crash(): void {
    if (this.process === undefined) return
    const path = this.#path
    const leaveAt = this.#nextPath()
    copyStore(path, leaveAt)
    this.#dead(leaveAt)
    crashStore(path, { after: 0, leaveAt: `${leaveAt}.dead` })
  }

  /** It will die behind so many more statements; of a commit as the last one only a part may reach the disk. */
  crashSoon(after: number, written: number, onCrash: () => void): void {
    if (this.process === undefined) return
    const leaveAt = this.#nextPath()
    const die = (): void => {
      this.#dead(leaveAt)
      onCrash()
    }
    crashStore(this.#path, { after, written, leaveAt, onCrash: die })
  }

  /** A crash that was to come does not come. */
  spare(): void {
    if (this.process !== undefined) unwatchStore(this.#path)
  }

  /** Ends the process in good order. */
  async stop(): Promise<void> {
    const { process } = this
    if (process === undefined) return
    unwatchStore(this.#path)
    process.isAlive = false
    this.process = undefined
    this.#init.world.busy.delete(process)
    await process.registry.close()
  }

  /** Waits until all that it opened is closed. */
  async dispose(): Promise<void> {
    await this.stop()
    await Promise.all(this.#closing)
  }

  #dead(leaveAt: string): void {
    const { process } = this
    if (process === undefined) return
    const path = this.#path
    this.#path = leaveAt
    this.process = undefined
    process.isAlive = false
    this.#init.world.busy.delete(process)
    // Nothing that the closing writes reaches a store any more.
    this.#closing.push(
      new Promise<void>((resolve) => setImmediate(resolve))
        .then(() => process.registry.close())
        .finally(() => unwatchStore(path))
    )
  }
}
