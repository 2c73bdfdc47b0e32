import { z } from 'zod'
import { peerIdText } from '../../identity/keys.ts'
import type { NetworkState } from '../log/state/network-state.ts'
import type { LogEntry } from '../objects/entry.ts'
import { witnessesOf } from './entitled.ts'

/** Changes that are remembered behind the last final place; beyond that the oldest is forgotten, and what was asked before it goes on. */
const maxComing = 64

/** The part of a policy, and of the set of registries, that decides what is final behind a place. */
const demand = z.object({
  needed: z.int().min(0),
  graceMs: z.int().min(0),
  /** PeerIds of those whose words count. */
  witnesses: z.array(z.string()).readonly()
})
export type Demand = Readonly<z.infer<typeof demand>>

/** A demand and the entry that made it. */
const change = z.object({ n: z.int().min(0), demand })
export type Change = Readonly<z.infer<typeof change>>

export const storedPlace = z.object({
  epoch: z.int().min(0),
  n: z.int().min(0),
  demand,
  coming: z.array(change).max(maxComing).default([])
})

/** The demand of a state as it is now; undefined: there are fewer witnesses than it needs, so nobody could answer it. */
export function demandOf(state: NetworkState): Demand | undefined {
  const { witnesses: needed, witnessGraceMs: graceMs } = state.policy
  const witnesses = witnessesOf(state).map(peerIdText)
  return witnesses.length < needed ? undefined : { needed, graceMs, witnesses }
}

const isSame = (a: Demand | undefined, b: Demand | undefined): boolean => JSON.stringify(a) === JSON.stringify(b)

/** A witness that goes on under a new key has signed that itself: what was asked of the old key is asked of the new one. */
export const renamed = (asked: Demand, oldId: string, newId: string): Demand =>
  asked.witnesses.includes(oldId)
    ? { ...asked, witnesses: asked.witnesses.map((id) => (id === oldId ? newId : id)) }
    : asked

/** Kinds of entries that may change a demand. */
const kinds: ReadonlySet<LogEntry['kind']> = new Set(['policy', 'registrySet', 'revoke', 'rotate', 'change', 'end'])

/** Demands of the entries behind the last final place, in the order of the log. */
export class Demands {
  /** Changes by entries that are being written, and may be undone. */
  #written: Change[] = []
  #coming: readonly Change[]
  #passedN: number

  /** Begins behind the entry of a final place. */
  constructor(passedN: number, coming: readonly Change[]) {
    this.#passedN = passedN
    this.#coming = coming
  }

  get coming(): readonly Change[] {
    return this.#coming
  }

  /** Takes note of an entry that was applied to a state just now, durable or not yet. */
  readonly note = (state: NetworkState, { kind, n }: LogEntry): void => {
    if (!kinds.has(kind)) return
    this.#written = this.#written.filter((each) => each.n < n)
    const asked = demandOf(state)
    if (asked !== undefined && !isSame(asked, this.#written.at(-1)?.demand)) this.#written.push({ n, demand: asked })
  }

  /** The state is durable: takes what was written, and what a snapshot has skipped as far as the state at its end shows it. */
  settle(state: NetworkState): void {
    for (const each of this.#written) if (each.n <= state.head.n) this.#add(each)
    this.#written = []
    const asked = demandOf(state)
    const n = Math.max(state.policyRow.n, ...state.registries().map((row) => row.n))
    if (asked !== undefined && n > (this.#coming.at(-1)?.n ?? this.#passedN)) this.#add({ n, demand: asked })
  }

  #add(added: Change): void {
    this.#coming = [...this.#coming.filter(({ n }) => n < added.n), added].slice(-maxComing)
  }

  /** A new epoch cut off what came behind an entry. */
  cutAfter(lastN: number): void {
    this.#coming = this.#coming.filter(({ n }) => n <= lastN)
  }

  rename(oldId: string, newId: string): void {
    const rename = ({ n, demand: asked }: Change): Change => ({ n, demand: renamed(asked, oldId, newId) })
    this.#written = this.#written.map(rename)
    this.#coming = this.#coming.map(rename)
  }

  /** All up to an entry is final. Gives the demand of that place; undefined: nothing has changed it. */
  pass(passedN: number): Demand | undefined {
    const last = this.#coming.findLast(({ n }) => n <= passedN)
    this.#coming = this.#coming.filter(({ n }) => n > passedN)
    this.#passedN = passedN
    return last?.demand
  }
}
