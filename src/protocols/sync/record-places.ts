import { type Sleeper, topics } from './subscriber-scheduler.ts'

/**
 * Places of those members that are pushed records, a bounded number. A member has one: of its subscriptions the newest has it, and gives it
 * back to the one before when it ends.
 */
export class RecordPlaces {
  readonly #most: number
  /** Subscriptions of a member that live, by its PeerId, the newest last. */
  readonly #sleepers = new Map<string, Sleeper[]>()

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#sleepers.size
  }

  take(remoteId: string, sleeper: Sleeper): void {
    const older = this.#sleepers.get(remoteId)
    if (older === undefined && this.size >= this.#most) return
    for (const each of older ?? []) each.wants &= ~topics.records
    sleeper.wants |= topics.records
    this.#sleepers.set(remoteId, [...(older ?? []), sleeper])
  }

  leave(remoteId: string, sleeper: Sleeper): void {
    const left = this.#sleepers.get(remoteId)?.filter((each) => each !== sleeper)
    const newest = left?.at(-1)
    if (left === undefined || newest === undefined) {
      this.#sleepers.delete(remoteId)
      return
    }
    this.#sleepers.set(remoteId, left)
    if ((newest.wants & topics.records) !== 0) return
    newest.wants |= topics.records
    newest.dirty |= topics.records
    newest.wake?.()
  }
}
