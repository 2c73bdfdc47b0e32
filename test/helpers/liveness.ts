import type { Hint, Lease, LivenessInit } from '../../src/registry/liveness/liveness.ts'
import { Liveness } from '../../src/registry/liveness/liveness.ts'
import { silentLogger } from '../../src/runtime/clock-and-logger.ts'
import { FakeClock, openTestStore, type TestStore } from './observations.ts'

/** A public key as good as any: liveness never looks inside. */
export const keyNumber = (number: number): Uint8Array => {
  const key = new Uint8Array(32).fill(7)
  new DataView(key.buffer).setUint32(0, number)
  return key
}

export const instanceOf = (number: number): Uint8Array => new Uint8Array(16).fill(number)

export const beatAll = (leases: readonly Lease[]): void => {
  for (const lease of leases) lease.beat()
}

/** The registry whose view is tested, two members, and two other registries. */
export const self = keyNumber(0)
export const ann = keyNumber(1)
export const bob = keyNumber(2)
export const eve = keyNumber(11)
export const fay = keyNumber(12)

/** What `eve` says of `ann`, unless changed. */
export const hint = (change: Partial<Hint> = {}): Hint => ({
  publicKey: ann,
  source: eve,
  heardMs: 0,
  state: 'online',
  sinceMs: 0,
  reason: '',
  rttMs: 5,
  connected: [bob],
  ...change
})

/** Liveness over a real store, in a time that passes when it is told to. */
export class World implements Disposable {
  readonly store: TestStore = openTestStore()
  readonly clock = new FakeClock()
  liveness = this.livenessOver()

  livenessOver(init: Partial<LivenessInit> = {}): Liveness {
    return new Liveness({
      self,
      clock: this.clock,
      logger: silentLogger,
      isMember: () => true,
      isRegistry: (key) => key === eve || key === fay,
      table: this.store.nodes,
      write: this.store.write,
      ...init
    })
  }

  /** The process starts again. */
  restart(init: Partial<LivenessInit> = {}): void {
    this.liveness = this.livenessOver(init)
  }

  /** Time passes second by second, as the timer would have it; `each` stands for what members do meanwhile. */
  pass(seconds: number, each: (second: number) => void = () => {}): void {
    for (let second = 1; second <= seconds; second++) {
      this.clock.advance(1_000)
      each(second)
      this.liveness.tick()
    }
  }

  open(key: Uint8Array, instance = 1): Lease {
    return this.liveness.open(key, instanceOf(instance))
  }

  openAll(from: number, to: number): Lease[] {
    return Array.from({ length: to - from + 1 }, (_, index) => this.open(keyNumber(from + index)))
  }

  stateOf(key: Uint8Array): string {
    return this.liveness.view(key).state
  }

  count(state: string): number {
    return this.liveness.views().filter((view) => view.state === state).length
  }

  [Symbol.dispose](): void {
    this.store[Symbol.dispose]()
  }
}
