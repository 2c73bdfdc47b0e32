import { keyId } from '../../../src/identity/key-id.ts'
import type { Hint, Lease, Liveness, ObservedNetwork } from '../../../src/registry/liveness/liveness.ts'
import { LivenessService, type LivenessServiceInit } from '../../../src/registry/liveness/liveness-service.ts'
import type { Named } from '../../../src/registry/liveness/member.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { FakeClock, openTestStore, type TestStore } from '../observations.ts'

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

let said = 0

/** What `eve` says of `ann`, unless changed; each one later than the one before. */
export const hint = (change: Partial<Hint> = {}): Hint => ({
  seq: 1,
  start: 1,
  count: ++said,
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

type Change = Partial<Omit<LivenessServiceInit, 'network'>> & { network?: Partial<ObservedNetwork> }

/** Liveness over a real store, in a time that passes when it is told to. */
export class World implements Disposable {
  readonly store: TestStore = openTestStore()
  readonly clock = new FakeClock()
  readonly #named = new Map<string, Named>()
  service = this.serviceOver()

  get liveness(): Liveness {
    return this.service.core
  }

  serviceOver({ network, ...init }: Change = {}): LivenessService {
    return new LivenessService({
      network: {
        self,
        isMember: () => true,
        isRegistry: (key) => key === eve || key === fay,
        namedBy: (key) => this.#named.get(keyId(key)),
        ...network
      },
      clock: this.clock,
      logger: silentLogger,
      table: this.store.nodes,
      write: this.store.write,
      ...init
    })
  }

  /** The process starts again. */
  restart(init: Change = {}): void {
    this.service = this.serviceOver(init)
  }

  /** A record of the member with this seq is here, which names its registry. */
  names(member: Uint8Array, seq: number, holder: Uint8Array): void {
    const named = { seq, holder }
    this.#named.set(keyId(member), named)
    this.liveness.recorded(member, named)
  }

  /** A registry says that it is there, and that it has been up for a minute; `ageMs`: how long the word was on its way. */
  pulse(source: Uint8Array, change: Partial<Hint> = {}, ageMs = 0): boolean {
    const itself = { publicKey: source, source, heardMs: ageMs, sinceMs: 60_000 + ageMs, connected: [] }
    return this.liveness.merge(hint({ ...itself, ...change }))
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
